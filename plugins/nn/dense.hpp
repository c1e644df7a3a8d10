/// Arithmetic on plain float rows for models whose frames come a few at a time, where a framework's calls
/// cost more than the work. Compiled for several instruction sets; the best that the processor has is chosen
/// once.
///
/// A matrix is rows of floats, `ld` apart. Kernels work on whole vectors: unless said otherwise, columns are
/// read and written up to the next multiple of kPad, so rows (and the end of the last one) must have that
/// room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stream::nn {

struct DenseKernels {
  /// c[rows, cols] = bias + a[rows, inner] b[inner, cols]. bias may be null. Columns of b lie in tiles of
  /// kTile, `tile` floats apart, with rows `ldb` apart inside.
  void (*product)(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, std::int64_t tile,
                  const float* bias, float* c, std::int64_t ldc, std::int64_t rows, std::int64_t inner,
                  std::int64_t cols);
  /// y[r, j] = bias[j] + sum over t of sources[t][r step + j] weights[t, j]: a depthwise convolution.
  void (*weighted)(const float* const* sources, std::int64_t taps, std::int64_t step, const float* weights,
                   std::int64_t ldw, const float* bias, float* y, std::int64_t ldy, std::int64_t rows,
                   std::int64_t cols);
  /// Exactly `cols` columns, epsilon 1e-5.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float* y, std::int64_t ld,
                     std::int64_t rows, std::int64_t cols);
  /// x[i] sigmoid(x[i]) of n in place; n is a multiple of kPad.
  void (*silu)(float* x, std::int64_t n);
  /// y[r, j] = x[r, j] sigmoid(x[r, cols + j]).
  void (*gated)(const float* x, std::int64_t ldx, float* y, std::int64_t ldy, std::int64_t rows,
                std::int64_t cols);
  /// max(x, 0) of n in place; n is a multiple of kPad.
  void (*relu)(float* x, std::int64_t n);
  /// A row of n in place.
  void (*softmax)(float* x, std::int64_t n);
  /// x[i] += scale y[i] of n; n is a multiple of kPad.
  void (*add)(float* x, const float* y, float scale, std::int64_t n);
  /// x[i] = scale (x[i] + y[i]) of n.
  void (*add_scaled)(float* x, const float* y, float scale, std::int64_t n);
};

/// The best for this processor.
const DenseKernels& dense_kernels();
/// All that this processor can run, the best first; for tests.
std::vector<const DenseKernels*> all_dense_kernels();

inline constexpr std::int64_t kTile = 32;  ///< columns of a weight matrix that lie together
inline constexpr std::int64_t kPad = 16;   ///< the widest vector
constexpr std::int64_t padded(std::int64_t n, std::int64_t to = kPad) { return (n + to - 1) / to * to; }

/// y = x W^T + b with the weights laid out for DenseKernels::product.
class DenseLinear {
 public:
  DenseLinear() = default;
  /// weight [out, in], bias [out] or empty.
  DenseLinear(std::span<const float> weight, std::span<const float> bias, std::int64_t out, std::int64_t in);
  void forward(const float* x, std::int64_t ldx, float* y, std::int64_t ldy, std::int64_t rows) const;
  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }

 private:
  std::int64_t in_ = 0, out_ = 0;
  std::vector<float> tiles_, bias_;
};

/// DenseKernels::product of a matrix b with rows `ldb` apart, counted by MultiplyAdds.
void product(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
             std::int64_t rows, std::int64_t inner, std::int64_t cols);
/// DenseKernels::weighted, counted by MultiplyAdds.
void weighted(std::span<const float* const> sources, std::int64_t step, const float* weights,
              std::int64_t ldw, const float* bias, float* y, std::int64_t ldy, std::int64_t rows,
              std::int64_t cols);

}  // namespace stream::nn
