/// Convolutions over runs of pixels, for small networks on pictures: kernels of our own, compiled for several
/// instruction sets, because a framework's calls cost more than a layer of ten channels on a patch of eight
/// pixels.
///
/// Pixels lie in rows, channels of a pixel beside each other, so that the taps of one kernel row are
/// contiguous. What a pixel gives does not depend on the run that it is computed in: results are the same bit
/// for bit however a picture is cut.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stream::nn {

struct ConvolutionKernels {
  /// For each of `pixels` pixels p and each column j:
  ///   out[p out_step + j] = f(bias[j] + sum over r < rows, i < inner of in[r][p in_step + i] weights[(r
  ///   inner + i) cols + j])
  /// where f is max(., 0) with `relu`, and with `add` out's old value is added, too. `cols` is a
  /// multiple of kColumns: weights and bias beyond the real columns are zero, and `out` may be written up to
  /// `cols` values after the last pixel begins: with zeros, or with `add` with what stands there.
  void (*run)(const float* const* in, std::int64_t rows, std::int64_t in_step, std::int64_t inner,
              const float* weights, const float* bias, float* out, std::int64_t out_step, std::int64_t pixels,
              std::int64_t cols, bool relu, bool add);
};

const ConvolutionKernels& convolution_kernels();                   ///< the best for this processor
std::vector<const ConvolutionKernels*> all_convolution_kernels();  ///< all that it can run, the best first

inline constexpr std::int64_t kColumns = 16;

/// A square, odd kernel laid out for ConvolutionKernels::run.
class Convolution {
 public:
  Convolution() = default;
  /// weight [out, in, size, size] row-major, bias [out]. Throws std::logic_error when they do not fit.
  Convolution(std::span<const float> weight, std::span<const float> bias, std::int64_t out, std::int64_t in,
              std::int64_t size);
  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  std::int64_t size() const { return size_; }
  /// Multiply-adds for one pixel.
  std::int64_t multiply_adds() const { return in_ * out_ * size_ * size_; }
  /// A run of pixels. `in`: the first of them in the row that the kernel's middle stands on, rows `in_row`
  /// floats apart, channels() floats from pixel to pixel, with size/2 pixels of context all around. `out` as
  /// for the kernels.
  void run(const float* in, std::int64_t in_row, float* out, std::int64_t out_step, std::int64_t pixels,
           bool relu, bool add) const;

  /// Floats from pixel to pixel for so many channels: what is written past a pixel's own must be the next
  /// one's, not those of the one after.
  static std::int64_t step(std::int64_t channels) {
    return channels % kColumns == 0 || channels < 3 * kColumns
               ? channels
               : (channels + kColumns - 1) / kColumns * kColumns;
  }

 private:
  std::int64_t in_ = 0, out_ = 0, size_ = 0, cols_ = 0;
  std::vector<float> weights_, bias_;
};

}  // namespace stream::nn
