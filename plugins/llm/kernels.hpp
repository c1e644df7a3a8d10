/// The arithmetic of decoding: products of a matrix with one vector, norms, softmax. Compiled for several
/// instruction sets; the best that the processor has is chosen once.
///
/// A product with one vector reads every weight once and does little else, so its bound is the rate at which
/// memory or cache can be read; weights are widened in registers. Rows are taken one at a time: processors
/// foresee what is read where memory is read from front to back, and four rows at a time, which read x less
/// often, had two thirds (float32) to a sixth (16 bits, with several rows in a page) of the rate. Bytes are
/// laid out for it: see ByteTile.
#pragma once

#include <cstdint>
#include <vector>

namespace stream::llm {

/// Columns that share a scale in a matrix of 8-bit weights, and rows that lie together.
inline constexpr std::int64_t kGroup = 32, kTileRows = 16;

/// One group of columns of 16 rows: the weight of row r and column c as w + 128 in byte
/// (c / 4) 64 + 4 r + c % 4. So a product reads a matrix from front to back, and its sums are rows: none is
/// added up across a vector.
struct ByteTile {
  alignas(64) std::uint8_t bytes[kGroup * kTileRows];
};

/// One group of activations as whole numbers: x = scale q, |q| <= kGreatestActivation.
struct ActivationGroup {
  std::int16_t numbers[kGroup];  ///< all q, laid out as the product of the same table wants them
  std::int32_t offset;           ///< -128 times the sum of all q: what the 128 of every weight adds
  float scale;
};
/// 127 x 256 + 127, so that q is 256 times a byte and another byte.
inline constexpr float kGreatestActivation = 32639;

struct Kernels {
  /// y[r] = sum over c of w[r, c] x[c]. Rows lie `cols` apart.
  void (*product_f32)(const float* w, const float* x, float* y, std::int64_t rows, std::int64_t cols);
  void (*product_bf16)(const std::uint16_t* w, const float* x, float* y, std::int64_t rows,
                       std::int64_t cols);
  void (*product_f16)(const std::uint16_t* w, const float* x, float* y, std::int64_t rows, std::int64_t cols);
  /// n activations, the last group filled up with zeros: (n + kGroup - 1) / kGroup groups.
  void (*quantise)(const float* x, ActivationGroup* out, std::int64_t n);
  /// y[t, r] = sum over c of w[r, c] x[t, c]; tiles and their scales (float16, one of each row) lie
  /// [rows / kTileRows, groups], activations [tokens, groups]. Sums within a group are exact; a token's
  /// result does not depend on how many come with it.
  void (*product_i8)(const ByteTile* w, const std::uint16_t* scales, const ActivationGroup* x, float* y,
                     std::int64_t tokens, std::int64_t rows, std::int64_t groups);
  /// The first n as float32.
  void (*widen_bf16)(const std::uint16_t* w, float* out, std::int64_t n);
  void (*widen_f16)(const std::uint16_t* w, float* out, std::int64_t n);
  /// y[c] += sum over r of p[r] v[r, c]. The sum goes through r in order.
  void (*combine)(const float* p, const float* v, float* y, std::int64_t rows, std::int64_t cols);
  /// x becomes softmax(x) of n; `more` is added to the sum of exponentials after subtracting the greatest, as
  /// the exponential of `more` itself (-infinity: nothing).
  void (*softmax)(float* x, std::int64_t n, float more);
  /// x[i] = sigmoid(x[i] - offset) of n; returns the sum.
  float (*sigmoids)(float* x, std::int64_t n, float offset);
  /// y = x / sqrt(mean(x^2) + epsilon) weight of n.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, float* y, std::int64_t n);
  /// y = (x - mean) / sqrt(variance + epsilon) weight + bias of n.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float epsilon, float* y,
                     std::int64_t n);
  /// x[i] = x[i] sigmoid(x[i]) of n.
  void (*silu)(float* x, std::int64_t n);
  /// The first 2 half numbers of x, turned in the plane of each pair (i, i + half) by the angle whose cosine
  /// and sine stand in turn: turn[0 ... half) and turn[half ... 2 half).
  void (*rotate)(float* x, const float* turn, std::int64_t half);
  /// Reads n floats; returns their sum. What a product would need if it did nothing but read: for benchmarks.
  float (*read)(const float* x, std::int64_t n);
};

/// The best for this processor.
const Kernels& kernels();
/// All that this processor can run, the best first; for tests.
std::vector<const Kernels*> all_kernels();

}  // namespace stream::llm
