/// The arithmetic of decoding: products of a matrix with one vector, norms, softmax. Compiled for several
/// instruction sets; the best that the processor has is chosen once.
///
/// A product reads every weight once and does little else, so its bound is the memory's bandwidth: rows are
/// taken four at a time, so that what is read of x serves all of them, and weights are widened in registers.
#pragma once

#include <cstdint>
#include <vector>

namespace stream::llm {

/// Columns that share a scale in a matrix of 8-bit weights.
inline constexpr std::int64_t kGroup = 32;

struct Kernels {
  /// y[r] = sum over c of w[r, c] x[c]. Rows lie `cols` apart.
  void (*product_f32)(const float* w, const float* x, float* y, std::int64_t rows, std::int64_t cols);
  void (*product_bf16)(const std::uint16_t* w, const float* x, float* y, std::int64_t rows,
                       std::int64_t cols);
  void (*product_f16)(const std::uint16_t* w, const float* x, float* y, std::int64_t rows, std::int64_t cols);
  /// Weights w[r, c] scales[r, c / kGroup]; cols is a multiple of kGroup.
  void (*product_i8)(const std::int8_t* w, const float* scales, const float* x, float* y, std::int64_t rows,
                     std::int64_t cols);
  /// The first n as float32.
  void (*widen_bf16)(const std::uint16_t* w, float* out, std::int64_t n);
  void (*widen_f16)(const std::uint16_t* w, float* out, std::int64_t n);
  /// n is a multiple of kGroup.
  void (*widen_i8)(const std::int8_t* w, const float* scales, float* out, std::int64_t n);
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
