// The kernels of dense.hpp for vectors of STREAM_VECTOR floats, as the table STREAM_TABLE. Included by one file for
// each instruction set and compiled with its flags, so nothing here may be shared with other files: no inline
// functions, no standard library.
#include "nn/dense.hpp"

namespace stream::nn {
namespace {

#include "nn/vector_math.inl"

constexpr int kVectors = static_cast<int>(kTile / kWidth);  // of a tile
// Accumulators that fit the registers: 8 of 32 vectors, or of 16.
constexpr int kRows = kVectors >= 8 ? 1 : 8 / kVectors;

constexpr std::int64_t kPart = 24;  // terms of a sum that are added up by themselves

template <int R, int C>
void block(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, const float* bias, float* c,
           std::int64_t ldc, std::int64_t inner) {
  V sums[R][C];
  for (int r = 0; r < R; ++r)
    for (int j = 0; j < C; ++j) sums[r][j] = bias ? load(bias + j * kWidth) : V{};
  // A sum of partial sums: rounding grows with the length of a part, not of the whole.
  for (std::int64_t from = 0; from < inner; from += kPart) {
    const std::int64_t to = from + kPart < inner ? from + kPart : inner;
    V part[R][C] = {};
    for (std::int64_t i = from; i < to; ++i) {
      V row[C];
      for (int j = 0; j < C; ++j) row[j] = load(b + i * ldb + j * kWidth);
      for (int r = 0; r < R; ++r)
        for (int j = 0; j < C; ++j) part[r][j] += a[r * lda + i] * row[j];
    }
    for (int r = 0; r < R; ++r)
      for (int j = 0; j < C; ++j) sums[r][j] += part[r][j];
  }
  for (int r = 0; r < R; ++r)
    for (int j = 0; j < C; ++j) store(c + r * ldc + j * kWidth, sums[r][j]);
}

template <int C>
void columns(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, const float* bias, float* c,
             std::int64_t ldc, std::int64_t rows, std::int64_t inner) {
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    block<kRows, C>(a + r * lda, lda, b, ldb, bias, c + r * ldc, ldc, inner);
  for (; r < rows; ++r) block<1, C>(a + r * lda, lda, b, ldb, bias, c + r * ldc, ldc, inner);
}

void product(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, std::int64_t tile,
             const float* bias, float* c, std::int64_t ldc, std::int64_t rows, std::int64_t inner,
             std::int64_t cols) {
  for (std::int64_t at = 0; at < cols; at += kTile) {
    const float* const part = b + at / kTile * tile;
    const float* const shift = bias ? bias + at : nullptr;
    if (at + kTile - kWidth < cols) {
      columns<kVectors>(a, lda, part, ldb, shift, c + at, ldc, rows, inner);
      continue;
    }
    for (std::int64_t j = 0; at + j < cols; j += kWidth)
      columns<1>(a, lda, part + j, ldb, shift ? shift + j : nullptr, c + at + j, ldc, rows, inner);
  }
}

void weighted(const float* const* sources, std::int64_t taps, std::int64_t step, const float* weights,
              std::int64_t ldw, const float* bias, float* y, std::int64_t ldy, std::int64_t rows,
              std::int64_t cols) {
  for (std::int64_t j = 0; j < cols; j += kWidth)
    for (std::int64_t r = 0; r < rows; ++r) {
      V s = load(bias + j);
      for (std::int64_t t = 0; t < taps; ++t) s += load(sources[t] + r * step + j) * load(weights + t * ldw + j);
      store(y + r * ldy + j, s);
    }
}

void layer_norm(const float* x, const float* weight, const float* bias, float* y, std::int64_t ld,
                std::int64_t rows, std::int64_t cols) {
  const std::int64_t whole = cols / kWidth * kWidth;
  for (std::int64_t r = 0; r < rows; ++r, x += ld, y += ld) {
    V s{};
    for (std::int64_t j = 0; j < whole; j += kWidth) s += load(x + j);
    float total = sum(s);
    for (std::int64_t j = whole; j < cols; ++j) total += x[j];
    const float mean = total / static_cast<float>(cols);
    V q{};
    for (std::int64_t j = 0; j < whole; j += kWidth) {
      const V away = load(x + j) - mean;
      q += away * away;
    }
    float squares = sum(q);
    for (std::int64_t j = whole; j < cols; ++j) squares += (x[j] - mean) * (x[j] - mean);
    const float scale = 1.0f / __builtin_sqrtf(squares / static_cast<float>(cols) + 1e-5f);
    for (std::int64_t j = 0; j < whole; j += kWidth)
      store(y + j, (load(x + j) - mean) * scale * load(weight + j) + load(bias + j));
    for (std::int64_t j = whole; j < cols; ++j) y[j] = (x[j] - mean) * scale * weight[j] + bias[j];
  }
}

void silu(float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) store(x + i, load(x + i) * sigmoid(load(x + i)));
}

void gated(const float* x, std::int64_t ldx, float* y, std::int64_t ldy, std::int64_t rows,
           std::int64_t cols) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t j = 0; j < cols; j += kWidth)
      store(y + r * ldy + j, load(x + r * ldx + j) * sigmoid(load(x + r * ldx + cols + j)));
}

void relu(float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) {
    const V v = load(x + i);
    store(x + i, v > V{} ? v : V{});
  }
}

void softmax(float* x, std::int64_t n) {
  const std::int64_t end = (n + kWidth - 1) / kWidth * kWidth;
  for (std::int64_t i = n; i < end; ++i) x[i] = -1e30f;
  V most = load(x);
  for (std::int64_t i = kWidth; i < end; i += kWidth) most = load(x + i) > most ? load(x + i) : most;
  float top = most[0];
  for (int i = 1; i < kWidth; ++i) top = most[i] > top ? most[i] : top;
  V s{};
  for (std::int64_t i = 0; i < end; i += kWidth) {
    const V e = exponential(load(x + i) - top);
    store(x + i, e);
    s += e;
  }
  const float scale = 1.0f / sum(s);
  for (std::int64_t i = 0; i < end; i += kWidth) store(x + i, load(x + i) * scale);
}

void add(float* x, const float* y, float scale, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) store(x + i, load(x + i) + scale * load(y + i));
}

void add_scaled(float* x, const float* y, float scale, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) store(x + i, scale * (load(x + i) + load(y + i)));
}

}  // namespace

extern const DenseKernels STREAM_TABLE;
const DenseKernels STREAM_TABLE = {product, weighted, layer_norm, silu, gated, relu, softmax, add, add_scaled};

}  // namespace stream::nn
