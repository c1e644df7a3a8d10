/// Pictures for reports.
#pragma once

#include <string>
#include <vector>

#include "super_resolution/resample.hpp"

namespace stream::super_resolution {

/// A PNG file, RGB of 8 bits.
std::string png_bytes(const Pixels& pixels);
std::string base64(const std::string& bytes);
/// Beside each other, with a white line between; all of one size.
Pixels side_by_side(const std::vector<Pixels>& pictures);
/// Each pixel `scale` times as wide and high: what LR looks like without any guessing.
Pixels blown_up(const Pixels& pixels, int scale);

}  // namespace stream::super_resolution
