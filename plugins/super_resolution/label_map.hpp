/// The patch map: labels of frames as bytes. Labels rarely change from frame to frame, and where one changes
/// its neighbours often do, so changes are coded, each knowing whether the patches to the left and above
/// changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "super_resolution/patches.hpp"

namespace stream::super_resolution {

/// `frames`: labels of consecutive frames of `columns` patches a row, each below `models`.
std::string encode_labels(const std::vector<Labels>& frames, int columns, int models);
/// The inverse. Throws Error(kBadData) when the bytes end too early or a label is not below `models`.
std::vector<Labels> decode_labels(std::string_view bytes, std::size_t frames, std::size_t patches,
                                  int columns, int models);

}  // namespace stream::super_resolution
