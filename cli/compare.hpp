/// Is this output what a recipe's test expects?
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/value.hpp"

namespace stream::cli {

/// The first difference in words, or nothing. JSON Lines (every line of `expected` is a JSON object) are
/// compared field by field, numbers within `tolerance` (absolute); WAV files sample by sample within
/// `tolerance`; anything else byte by byte.
std::optional<std::string> first_difference(std::string_view expected, std::string_view actual,
                                            double tolerance);
/// The path of the first member that differs and both values; nothing when they agree.
std::optional<std::string> value_difference(const Value& expected, const Value& actual, double tolerance,
                                            const std::string& path = {});

}  // namespace stream::cli
