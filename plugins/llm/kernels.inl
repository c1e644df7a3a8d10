// The kernels of kernels.hpp for vectors of STREAM_VECTOR floats, as the table STREAM_TABLE. Included by one file for
// each instruction set and compiled with its flags, so nothing here may be shared with other files: no inline
// functions, no standard library.
#include "llm/kernels.hpp"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace stream::llm {
namespace {

#include "nn/vector_math.inl"

typedef std::uint16_t H __attribute__((vector_size(2 * STREAM_VECTOR), aligned(2), may_alias));
typedef std::uint32_t U __attribute__((vector_size(4 * STREAM_VECTOR), aligned(4), may_alias));

// GCC takes conversions of narrow vectors apart into single elements; the instructions are asked for by name.
V bfloats(const std::uint16_t* from) {
#if defined(__F16C__) && STREAM_VECTOR == 16
  const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(from));
  return reinterpret_cast<V>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
#elif defined(__F16C__) && STREAM_VECTOR == 8
  const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(from));
  return reinterpret_cast<V>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(narrow), 16));
#else
  const U bits = __builtin_convertvector(*reinterpret_cast<const H*>(from), U) << 16;
  return reinterpret_cast<const V&>(bits);
#endif
}

V halves(const std::uint16_t* from) {
#if defined(__F16C__) && STREAM_VECTOR == 16
  return reinterpret_cast<V>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(from))));
#elif defined(__F16C__) && STREAM_VECTOR == 8
  return reinterpret_cast<V>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(from))));
#else
  // Shifted into place with the exponent's bias wrong by 112, which a multiplication mends; infinities and NaNs, which
  // weights do not have, would become large numbers.
  const U wide = __builtin_convertvector(*reinterpret_cast<const H*>(from), U);
  const U bits = (wide & 0x7fffu) << 13;
  const V size = reinterpret_cast<const V&>(bits) * 0x1p112f;
  const U whole = reinterpret_cast<const U&>(size) | ((wide & 0x8000u) << 16);
  return reinterpret_cast<const V&>(whole);
#endif
}

/// The sum of all lanes, halves upon halves: four dependent additions where one lane after the other takes sixteen.
float total(V v) {
#ifdef __clang__  // has no shuffle by lanes that it cannot see; the same sums
  for (int half = static_cast<int>(kWidth) / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) v[i] += v[i + half];
  }
#else
  I lanes;
  for (int i = 0; i < kWidth; ++i) lanes[i] = i;
#pragma GCC unroll 4
  for (int half = static_cast<int>(kWidth) / 2; half > 0; half /= 2) v += __builtin_shuffle(v, lanes ^ half);
#endif
  return v[0];
}

float greatest(V v) {
  float top = v[0];
  for (int i = 1; i < kWidth; ++i) top = v[i] > top ? v[i] : top;
  return top;
}

/// A load of `count` < kWidth elements; the other lanes are zero.
template <typename T, V (*kLoad)(const T*)>
V part(const T* from, std::int64_t count) {
  T group[STREAM_VECTOR] = {};
  for (std::int64_t i = 0; i < count; ++i) group[i] = from[i];
  return kLoad(group);
}

template <typename T, V (*kLoad)(const T*)>
void product(const T* w, const float* x, float* y, std::int64_t rows, std::int64_t cols) {
  constexpr int kSums = 4;  // as many as hide how long one takes
  for (std::int64_t r = 0; r < rows; ++r, w += cols) {
    V sums[kSums] = {};
    std::int64_t c = 0;
    for (; c + kSums * kWidth <= cols; c += kSums * kWidth)
      for (int s = 0; s < kSums; ++s) sums[s] += kLoad(w + c + s * kWidth) * load(x + c + s * kWidth);
    for (; c + kWidth <= cols; c += kWidth) sums[0] += kLoad(w + c) * load(x + c);
    if (c < cols) sums[1] += part<T, kLoad>(w + c, cols - c) * part<float, load>(x + c, cols - c);
    y[r] = total((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

// Products with bytes. Two products of 64 bytes each (upper and lower halves of the activations) take two cycles on
// processors that do one such product in a cycle, so a token can read 32 bytes of weights in a cycle: the second
// cache's rate, above that of memory. Without VNNI bytes are widened first, at half of that.
//
// The numbers of a group of activations are laid out as the instructions want them:
// for VNNI, which multiplies bytes, the upper bytes of all and then the lower (q = 256 upper + lower, both
// signed); for the others the 16-bit numbers themselves.
#if defined(__AVX512VNNI__) && STREAM_VECTOR == 16
void put(ActivationGroup& out, const std::int32_t* q) {
  auto* const upper = reinterpret_cast<std::int8_t*>(out.numbers);
  for (int i = 0; i < kGroup; ++i) {
    const std::int32_t high = (q[i] + 128) >> 8;
    upper[i] = static_cast<std::int8_t>(high);
    upper[kGroup + i] = static_cast<std::int8_t>(q[i] - 256 * high);
  }
}

__m512i quad(const ActivationGroup& x, std::int64_t at) {
  std::int32_t four;
  __builtin_memcpy(&four, reinterpret_cast<const char*>(x.numbers) + at, 4);
  return _mm512_set1_epi32(four);
}

/// y[t * y_stride + r] of T tokens and the 16 rows of one row of tiles.
template <int T>
void tiles_product(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                   std::int64_t y_stride, std::int64_t groups) {
  __m512 sums[T] = {};
  for (std::int64_t g = 0; g < groups; ++g) {
    __m512i high[T], low[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      high[t] = _mm512_setzero_si512();
      low[t] = _mm512_set1_epi32(x[t * groups + g].offset);
    }
#pragma GCC unroll 8
    for (int c = 0; c < kGroup; c += 4) {
      const __m512i four = _mm512_load_si512(w[g].bytes + c * kTileRows);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        high[t] = _mm512_dpbusd_epi32(high[t], four, quad(x[t * groups + g], c));
        low[t] = _mm512_dpbusd_epi32(low[t], four, quad(x[t * groups + g], kGroup + c));
      }
    }
    const __m512 scale =
        _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(scales + g * kTileRows)));
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t)
      sums[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(high[t], 8), low[t])),
                                _mm512_mul_ps(scale, _mm512_set1_ps(x[t * groups + g].scale)), sums[t]);
  }
  for (int t = 0; t < T; ++t) _mm512_storeu_ps(y + t * y_stride, sums[t]);
}
constexpr int kTokens = 8;  // 16 integer and 8 float sums in 32 registers
#else
void put(ActivationGroup& out, const std::int32_t* q) {
  for (int i = 0; i < kGroup; ++i) out.numbers[i] = static_cast<std::int16_t>(q[i]);
}

#if defined(__AVX2__)
/// Each lane of eight has two columns of a row.
template <int T>
void tiles_product(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                   std::int64_t y_stride, std::int64_t groups) {
  __m256 sums[T][2] = {};
  for (std::int64_t g = 0; g < groups; ++g) {
    __m256i lanes[T][4] = {};
    for (int c = 0; c < kGroup; c += 4) {
      for (int rows = 0; rows < 4; ++rows) {
        const __m256i four = _mm256_cvtepu8_epi16(_mm_loadu_si128(
            reinterpret_cast<const __m128i_u*>(w[g].bytes + c * kTileRows + rows * 16)));
        for (int t = 0; t < T; ++t) {
          long long numbers;
          __builtin_memcpy(&numbers, x[t * groups + g].numbers + c, 8);
          lanes[t][rows] =
              _mm256_add_epi32(lanes[t][rows], _mm256_madd_epi16(four, _mm256_set1_epi64x(numbers)));
        }
      }
    }
    for (int half = 0; half < 2; ++half) {
      const __m256 scale = _mm256_cvtph_ps(
          _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(scales + g * kTileRows + half * 8)));
      for (int t = 0; t < T; ++t) {
        const __m256i pairs = _mm256_hadd_epi32(lanes[t][2 * half], lanes[t][2 * half + 1]);
        const __m256i whole =
            _mm256_add_epi32(_mm256_permute4x64_epi64(pairs, 0xd8), _mm256_set1_epi32(x[t * groups + g].offset));
        sums[t][half] = _mm256_fmadd_ps(
            _mm256_cvtepi32_ps(whole), _mm256_mul_ps(scale, _mm256_set1_ps(x[t * groups + g].scale)), sums[t][half]);
      }
    }
  }
  for (int t = 0; t < T; ++t)
    for (int half = 0; half < 2; ++half) _mm256_storeu_ps(y + t * y_stride + half * 8, sums[t][half]);
}
constexpr int kTokens = 2;  // 8 integer sums and 4 of floats in 16 registers
#else
template <int T>
void tiles_product(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                   std::int64_t, std::int64_t groups) {
  static_assert(T == 1 && kTileRows % kWidth == 0);
  float sums[kTileRows] = {};
  for (std::int64_t g = 0; g < groups; ++g) {
    std::int32_t whole[kTileRows];
    for (int r = 0; r < kTileRows; ++r) whole[r] = x[g].offset;
    for (int c = 0; c < kGroup; c += 4)
      for (int r = 0; r < kTileRows; ++r)
        for (int i = 0; i < 4; ++i) whole[r] += w[g].bytes[c * kTileRows + r * 4 + i] * x[g].numbers[c + i];
    for (int r = 0; r < kTileRows; r += kWidth) {
      const V scale = part<std::uint16_t, halves>(scales + g * kTileRows + r, kWidth);
      const I lanes = *reinterpret_cast<const I*>(whole + r);
      store(sums + r, load(sums + r) + __builtin_convertvector(lanes, V) * (scale * x[g].scale));
    }
  }
  for (int r = 0; r < kTileRows; ++r) y[r] = sums[r];
}
constexpr int kTokens = 1;
#endif
#endif

void quantise(const float* x, ActivationGroup* out, std::int64_t n) {
  constexpr float kRound = 12582912.0f;  // 1.5 x 2^23: adding it rounds to a whole number
  for (std::int64_t at = 0; at < n; at += kGroup, ++out) {
    float group[kGroup] = {};
    const std::int64_t count = n - at < kGroup ? n - at : kGroup;
    for (std::int64_t i = 0; i < count; ++i) group[i] = x[at + i];
    V most{}, unbounded{};
    for (std::int64_t i = 0; i < kGroup; i += kWidth) {
      const V v = load(group + i);
      const V size = v < V{} ? -v : v;
      most = size > most ? size : most;
      unbounded += v - v;  // NaN for infinities and NaNs, which stay what they are: the group's scale
    }
    const float top = greatest(most);
    if (const float nan = total(unbounded); nan != 0.0f) {
      *out = ActivationGroup{{}, 0, nan};
      continue;
    }
    out->scale = top / kGreatestActivation;
    const float by = top > 0 ? kGreatestActivation / top : 0.0f;
    std::int32_t q[kGroup], sum = 0;
    for (std::int64_t i = 0; i < kGroup; i += kWidth) {
      const V whole = (load(group + i) * by + kRound) - kRound;
      *reinterpret_cast<I*>(q + i) = __builtin_convertvector(whole, I);
    }
    for (const std::int32_t v : q) sum += v;
    out->offset = -128 * sum;
    put(*out, q);
  }
}

/// The first `rows` of a row of tiles.
template <int T>
void rows_of_tiles(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                   std::int64_t y_stride, std::int64_t rows, std::int64_t groups) {
  if (rows >= kTileRows) return tiles_product<T>(w, scales, x, y, y_stride, groups);
  float whole[T * kTileRows];
  tiles_product<T>(w, scales, x, whole, kTileRows, groups);
  for (int t = 0; t < T; ++t)
    for (std::int64_t r = 0; r < rows; ++r) y[t * y_stride + r] = whole[t * kTileRows + r];
}

void product_i8(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                std::int64_t tokens, std::int64_t rows, std::int64_t groups) {
  constexpr std::int64_t kBlock = 128;  // tokens whose activations stay in the second cache
  for (std::int64_t first = 0; first < tokens; first += kBlock) {
    const std::int64_t last = first + kBlock < tokens ? first + kBlock : tokens;
    for (std::int64_t r = 0; r < rows; r += kTileRows) {
      const ByteTile* const tiles = w + r / kTileRows * groups;
      const std::uint16_t* const s = scales + r * groups;
      std::int64_t t = first;
      for (; t + kTokens <= last; t += kTokens)
        rows_of_tiles<kTokens>(tiles, s, x + t * groups, y + t * rows + r, rows, rows - r, groups);
      for (; t < last; ++t) rows_of_tiles<1>(tiles, s, x + t * groups, y + t * rows + r, rows, rows - r, groups);
    }
  }
}

template <V (*kLoad)(const std::uint16_t*)>
void widen(const std::uint16_t* w, float* out, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(out + i, kLoad(w + i));
  if (i < n) {
    const V rest = part<std::uint16_t, kLoad>(w + i, n - i);
    for (std::int64_t j = i; j < n; ++j) out[j] = rest[j - i];
  }
}

template <int C>
void combine_columns(const float* p, const float* v, float* y, std::int64_t rows, std::int64_t cols) {
  V sums[C];
  for (int j = 0; j < C; ++j) sums[j] = load(y + j * kWidth);
  for (std::int64_t r = 0; r < rows; ++r)
    for (int j = 0; j < C; ++j) sums[j] += p[r] * load(v + r * cols + j * kWidth);
  for (int j = 0; j < C; ++j) store(y + j * kWidth, sums[j]);
}

void combine(const float* p, const float* v, float* y, std::int64_t rows, std::int64_t cols) {
  std::int64_t c = 0;
  for (; c + 8 * kWidth <= cols; c += 8 * kWidth) combine_columns<8>(p, v + c, y + c, rows, cols);
  for (; c + 4 * kWidth <= cols; c += 4 * kWidth) combine_columns<4>(p, v + c, y + c, rows, cols);
  for (; c + kWidth <= cols; c += kWidth) combine_columns<1>(p, v + c, y + c, rows, cols);
  if (c == cols) return;
  V rest = part<float, load>(y + c, cols - c);
  for (std::int64_t r = 0; r < rows; ++r) rest += p[r] * part<float, load>(v + r * cols + c, cols - c);
  for (std::int64_t j = c; j < cols; ++j) y[j] = rest[j - c];
}

/// The vector whose lanes from `count` on are `other`.
V partly(const float* x, std::int64_t count, float other) {
  V v = all(other);
  for (std::int64_t i = 0; i < count; ++i) v[i] = x[i];
  return v;
}

void softmax(float* x, std::int64_t n, float more) {
  constexpr float kLeast = -3e38f;
  const std::int64_t whole = n / kWidth * kWidth;
  V most = all(more > kLeast ? more : kLeast);
  for (std::int64_t i = 0; i < whole; i += kWidth) most = load(x + i) > most ? load(x + i) : most;
  if (whole < n) {
    const V rest = partly(x + whole, n - whole, kLeast);
    most = rest > most ? rest : most;
  }
  const float top = greatest(most);
  V total{};
  for (std::int64_t i = 0; i < whole; i += kWidth) {
    const V shifted = load(x + i) - top;
    // What a mask hides has a weight of exactly 0.
    V e = exponential(shifted);
    e = shifted < all(-80.0f) ? V{} : e;
    store(x + i, e);
    total += e;
  }
  float sum_of_all = sum(total);
  if (whole < n) {
    const V shifted = partly(x + whole, n - whole, kLeast) - top;
    V e = exponential(shifted);
    e = shifted < all(-80.0f) ? V{} : e;
    for (std::int64_t i = whole; i < n; ++i) {
      x[i] = e[i - whole];
      sum_of_all += x[i];
    }
  }
  if (more > kLeast) sum_of_all += exponential(all(more - top))[0];
  const float scale = 1.0f / sum_of_all;
  for (std::int64_t i = 0; i < whole; i += kWidth) store(x + i, load(x + i) * scale);
  for (std::int64_t i = whole; i < n; ++i) x[i] *= scale;
}

float sigmoids(float* x, std::int64_t n, float offset) {
  const std::int64_t whole = n / kWidth * kWidth;
  V total{};
  for (std::int64_t i = 0; i < whole; i += kWidth) {
    const V s = sigmoid(load(x + i) - offset);
    store(x + i, s);
    total += s;
  }
  float out = sum(total);
  for (std::int64_t i = whole; i < n; ++i) {
    x[i] = sigmoid(all(x[i] - offset))[0];
    out += x[i];
  }
  return out;
}

void rms_norm(const float* x, const float* weight, float epsilon, float* y, std::int64_t n) {
  const std::int64_t whole = n / kWidth * kWidth;
  V q{};
  for (std::int64_t i = 0; i < whole; i += kWidth) q += load(x + i) * load(x + i);
  float squares = sum(q);
  for (std::int64_t i = whole; i < n; ++i) squares += x[i] * x[i];
  const float scale = 1.0f / __builtin_sqrtf(squares / static_cast<float>(n) + epsilon);
  for (std::int64_t i = 0; i < whole; i += kWidth) store(y + i, load(x + i) * scale * load(weight + i));
  for (std::int64_t i = whole; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, float* y, std::int64_t n) {
  const std::int64_t whole = n / kWidth * kWidth;
  V s{};
  for (std::int64_t i = 0; i < whole; i += kWidth) s += load(x + i);
  float total = sum(s);
  for (std::int64_t i = whole; i < n; ++i) total += x[i];
  const float mean = total / static_cast<float>(n);
  V q{};
  for (std::int64_t i = 0; i < whole; i += kWidth) q += (load(x + i) - mean) * (load(x + i) - mean);
  float squares = sum(q);
  for (std::int64_t i = whole; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / __builtin_sqrtf(squares / static_cast<float>(n) + epsilon);
  for (std::int64_t i = 0; i < whole; i += kWidth)
    store(y + i, (load(x + i) - mean) * scale * load(weight + i) + load(bias + i));
  for (std::int64_t i = whole; i < n; ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

void silu(float* x, std::int64_t n) {
  const std::int64_t whole = n / kWidth * kWidth;
  for (std::int64_t i = 0; i < whole; i += kWidth) store(x + i, load(x + i) * sigmoid(load(x + i)));
  for (std::int64_t i = whole; i < n; ++i) x[i] *= sigmoid(all(x[i]))[0];
}

void rotate(float* x, const float* turn, std::int64_t half) {
  const std::int64_t whole = half / kWidth * kWidth;
  for (std::int64_t i = 0; i < whole; i += kWidth) {
    const V a = load(x + i), b = load(x + half + i), c = load(turn + i), s = load(turn + half + i);
    store(x + i, a * c - b * s);
    store(x + half + i, b * c + a * s);
  }
  for (std::int64_t i = whole; i < half; ++i) {
    const float a = x[i], b = x[half + i];
    x[i] = a * turn[i] - b * turn[half + i];
    x[half + i] = b * turn[i] + a * turn[half + i];
  }
}

float read(const float* x, std::int64_t n) {
  V sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 * kWidth <= n; i += 8 * kWidth)
    for (int j = 0; j < 8; ++j) sums[j] += load(x + i + j * kWidth);
  V total{};
  for (int j = 0; j < 8; ++j) total += sums[j];
  float out = sum(total);
  for (; i < n; ++i) out += x[i];
  return out;
}

}  // namespace

extern const Kernels STREAM_TABLE;
const Kernels STREAM_TABLE = {product<float, load>,
                              product<std::uint16_t, bfloats>,
                              product<std::uint16_t, halves>,
                              quantise,
                              product_i8,
                              widen<bfloats>,
                              widen<halves>,
                              combine,
                              softmax,
                              sigmoids,
                              rms_norm,
                              layer_norm,
                              silu,
                              rotate,
                              read};

}  // namespace stream::llm
