#include "nn/dense.hpp"

#include <stdexcept>

#include "nn/multiply_adds.hpp"

namespace stream::nn {

extern const DenseKernels kDenseBaseline;
#if defined(__x86_64__)
extern const DenseKernels kDenseAvx2, kDenseAvx512;
#endif

std::vector<const DenseKernels*> all_dense_kernels() {
  std::vector<const DenseKernels*> out;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f")) out.push_back(&kDenseAvx512);
  if (avx2) out.push_back(&kDenseAvx2);
#endif
  out.push_back(&kDenseBaseline);
  return out;
}

const DenseKernels& dense_kernels() {
  static const DenseKernels& best = *all_dense_kernels().front();
  return best;
}

DenseLinear::DenseLinear(std::span<const float> weight, std::span<const float> bias, std::int64_t out,
                         std::int64_t in)
    : in_(in),
      out_(out),
      tiles_(static_cast<std::size_t>(in * padded(out, kTile))),
      bias_(static_cast<std::size_t>(padded(out, kTile))) {
  if (static_cast<std::int64_t>(weight.size()) != out * in ||
      (!bias.empty() && static_cast<std::int64_t>(bias.size()) != out))
    throw std::logic_error("a linear layer's weights do not have its shape");
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t i = 0; i < in; ++i)
      tiles_[static_cast<std::size_t>(o / kTile * kTile * in + i * kTile + o % kTile)] =
          weight[static_cast<std::size_t>(o * in + i)];
  for (std::size_t o = 0; o < bias.size(); ++o) bias_[o] = bias[o];
}

void DenseLinear::forward(const float* x, std::int64_t ldx, float* y, std::int64_t ldy,
                          std::int64_t rows) const {
  MultiplyAdds::note(rows * in_ * out_);
  dense_kernels().product(x, ldx, tiles_.data(), kTile, in_ * kTile, bias_.data(), y, ldy, rows, in_, out_);
}

void product(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
             std::int64_t rows, std::int64_t inner, std::int64_t cols) {
  MultiplyAdds::note(rows * inner * cols);
  dense_kernels().product(a, lda, b, ldb, kTile, nullptr, c, ldc, rows, inner, cols);
}

void weighted(std::span<const float* const> sources, std::int64_t step, const float* weights,
              std::int64_t ldw, const float* bias, float* y, std::int64_t ldy, std::int64_t rows,
              std::int64_t cols) {
  MultiplyAdds::note(rows * static_cast<std::int64_t>(sources.size()) * cols);
  dense_kernels().weighted(sources.data(), static_cast<std::int64_t>(sources.size()), step, weights, ldw,
                           bias, y, ldy, rows, cols);
}

}  // namespace stream::nn
