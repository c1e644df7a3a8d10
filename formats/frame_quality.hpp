/// How far one picture is from another: mean squared error and structural similarity, plane by plane.
#pragma once

#include <array>
#include <cstdint>

#include "stream/frame_layout.hpp"

namespace stream {

struct FrameQuality {
  std::array<double, 3> mse{};       ///< of each plane, in squares of a sample's unit
  std::array<double, 3> ssim{};      ///< of each plane; 1 is equal
  double mse_all = 0, ssim_all = 0;  ///< planes weighted by their number of samples
};

/// SSIM is that of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
/// structural similarity" (2004), on blocks of 8x8 that overlap by half, without a Gaussian window, as x264
/// and FFmpeg compute it. Throws Error(kBadData) when the layouts differ in more than range and matrix.
FrameQuality compare(const Frame& a, const Frame& b);

/// 10 log10(peak^2 / mse) dB with peak 2^bits - 1; infinite when mse is 0.
double psnr(double mse, int bits);

}  // namespace stream
