#include "nn/convolution.hpp"

#include <algorithm>
#include <stdexcept>

namespace stream::nn {

extern const ConvolutionKernels kConvolutionBaseline;
#if defined(__x86_64__)
extern const ConvolutionKernels kConvolutionAvx2, kConvolutionAvx512;
#endif

std::vector<const ConvolutionKernels*> all_convolution_kernels() {
  std::vector<const ConvolutionKernels*> out;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f")) out.push_back(&kConvolutionAvx512);
  if (avx2) out.push_back(&kConvolutionAvx2);
#endif
  out.push_back(&kConvolutionBaseline);
  return out;
}

const ConvolutionKernels& convolution_kernels() {
  static const ConvolutionKernels& best = *all_convolution_kernels().front();
  return best;
}

Convolution::Convolution(std::span<const float> weight, std::span<const float> bias, std::int64_t out,
                         std::int64_t in, std::int64_t size)
    : in_(in), out_(out), size_(size), cols_((out + kColumns - 1) / kColumns * kColumns) {
  if (static_cast<std::int64_t>(weight.size()) != out * in * size * size ||
      static_cast<std::int64_t>(bias.size()) != out || size % 2 == 0)
    throw std::logic_error("a convolution's weights do not have its shape");
  // Taps of one kernel row lie as the pixels do, gaps between pixels included.
  const std::int64_t pixel = step(in);
  weights_.assign(static_cast<std::size_t>(size * size * pixel * cols_), 0.0f);
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t i = 0; i < in; ++i)
      for (std::int64_t y = 0; y < size; ++y)
        for (std::int64_t x = 0; x < size; ++x)
          weights_[static_cast<std::size_t>(((y * size + x) * pixel + i) * cols_ + o)] =
              weight[static_cast<std::size_t>(((o * in + i) * size + y) * size + x)];
  bias_.assign(static_cast<std::size_t>(cols_), 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.begin());
}

void Convolution::run(const float* in, std::int64_t in_row, float* out, std::int64_t out_step,
                      std::int64_t pixels, bool relu, bool add) const {
  constexpr std::int64_t kLargest = 16;
  const float* rows[kLargest];
  const std::int64_t half = size_ / 2, pixel = step(in_);
  for (std::int64_t r = 0; r < size_; ++r) rows[r] = in + (r - half) * in_row - half * pixel;
  convolution_kernels().run(rows, size_, pixel, size_ * pixel, weights_.data(), bias_.data(), out, out_step,
                            pixels, cols_, relu, add);
}

}  // namespace stream::nn
