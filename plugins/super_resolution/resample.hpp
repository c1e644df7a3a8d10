/// Bicubic resampling as MATLAB's imresize does it: Keys' kernel with a = -0.5, widened when a picture
/// shrinks, mirrored edges, rounded to 8 bits once at the end. What the field calls bicubic LR.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/frame_layout.hpp"

namespace stream::super_resolution {

/// RGB of 8 bits in planes: R, then G, then B, rows without gaps.
struct Pixels {
  int width = 0, height = 0;
  std::vector<std::uint8_t> samples;
  std::size_t plane() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};
/// Throws Error(kBadData) unless the frame is RGB of 8 bits.
Pixels pixels_of(const Frame& frame);
/// `sampling`: of the frame that they were made from; both sides are scaled alike, so that it holds for them.
Frame frame_of(const Pixels& pixels, const Sampling& sampling = {});

/// 1/scale of the size. Throws Error(kBadData) unless both sides are multiples of `scale`.
Pixels shrink(const Pixels& from, int scale);
/// `scale` times the size.
Pixels enlarge(const Pixels& from, int scale);

/// Keys' cubic convolution kernel (1981), a = -0.5.
double cubic(double x);

/// Sum of squared differences over all samples. Precondition: equal sizes.
double squared_error(const Pixels& a, const Pixels& b);
/// dB from a sum over `samples`; 100 where it is zero, so that means stay finite.
double psnr_of(double squared_error, double samples);

}  // namespace stream::super_resolution
