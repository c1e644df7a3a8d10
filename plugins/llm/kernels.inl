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
typedef std::int8_t B __attribute__((vector_size(STREAM_VECTOR), aligned(1), may_alias));

constexpr int kRows = 4;  // of a matrix at a time

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

V bytes(const std::int8_t* from) {
#if defined(__F16C__) && STREAM_VECTOR == 16
  return reinterpret_cast<V>(
      _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(from)))));
#elif defined(__F16C__) && STREAM_VECTOR == 8
  return reinterpret_cast<V>(
      _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(from)))));
#else
  return __builtin_convertvector(*reinterpret_cast<const B*>(from), V);
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

/// A load of `count` < kWidth elements; the other lanes are zero.
template <typename T, V (*kLoad)(const T*)>
V part(const T* from, std::int64_t count) {
  T group[STREAM_VECTOR] = {};
  for (std::int64_t i = 0; i < count; ++i) group[i] = from[i];
  return kLoad(group);
}

template <typename T, V (*kLoad)(const T*), int R>
void rows_product(const T* w, const float* x, float* y, std::int64_t cols) {
  V sums[R][2] = {};
  std::int64_t c = 0;
  for (; c + 2 * kWidth <= cols; c += 2 * kWidth) {
    const V a = load(x + c), b = load(x + c + kWidth);
    for (int r = 0; r < R; ++r) {
      sums[r][0] += kLoad(w + r * cols + c) * a;
      sums[r][1] += kLoad(w + r * cols + c + kWidth) * b;
    }
  }
  for (; c + kWidth <= cols; c += kWidth) {
    const V a = load(x + c);
    for (int r = 0; r < R; ++r) sums[r][0] += kLoad(w + r * cols + c) * a;
  }
  if (c < cols) {
    // Vectors here, too: a row's sum must not depend on how many rows are taken at a time.
    const V a = part<float, load>(x + c, cols - c);
    for (int r = 0; r < R; ++r) sums[r][0] += part<T, kLoad>(w + r * cols + c, cols - c) * a;
  }
  for (int r = 0; r < R; ++r) y[r] = total(sums[r][0] + sums[r][1]);
}

template <typename T, V (*kLoad)(const T*)>
void product(const T* w, const float* x, float* y, std::int64_t rows, std::int64_t cols) {
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) rows_product<T, kLoad, kRows>(w + r * cols, x, y + r, cols);
  for (; r < rows; ++r) rows_product<T, kLoad, 1>(w + r * cols, x, y + r, cols);
}

template <int R>
void rows_product_i8(const std::int8_t* w, const float* scales, const float* x, float* y, std::int64_t cols) {
  V sums[R] = {};
  const std::int64_t groups = cols / kGroup;
  for (std::int64_t g = 0; g < groups; ++g) {
    V parts[R] = {};
    for (std::int64_t j = 0; j < kGroup; j += kWidth) {
      const V a = load(x + g * kGroup + j);
      for (int r = 0; r < R; ++r) parts[r] += bytes(w + r * cols + g * kGroup + j) * a;
    }
    for (int r = 0; r < R; ++r) sums[r] += parts[r] * scales[r * groups + g];
  }
  for (int r = 0; r < R; ++r) y[r] = total(sums[r]);
}

void product_i8(const std::int8_t* w, const float* scales, const float* x, float* y, std::int64_t rows,
                std::int64_t cols) {
  const std::int64_t groups = cols / kGroup;
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    rows_product_i8<kRows>(w + r * cols, scales + r * groups, x, y + r, cols);
  for (; r < rows; ++r) rows_product_i8<1>(w + r * cols, scales + r * groups, x, y + r, cols);
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

void widen_i8(const std::int8_t* w, const float* scales, float* out, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) store(out + i, bytes(w + i) * scales[i / kGroup]);
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

float greatest(V v) {
  float top = v[0];
  for (int i = 1; i < kWidth; ++i) top = v[i] > top ? v[i] : top;
  return top;
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
                              product_i8,
                              widen<bfloats>,
                              widen<halves>,
                              widen_i8,
                              combine,
                              softmax,
                              sigmoids,
                              rms_norm,
                              layer_norm,
                              silu,
                              rotate,
                              read};

}  // namespace stream::llm
