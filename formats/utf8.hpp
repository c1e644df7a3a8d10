/// UTF-8 as Unicode 15, table 3-7 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stream {

/// True when all of `text` is valid. Checks many bytes at a time.
bool valid_utf8(std::string_view text);
/// Length of the longest prefix that is valid; `text.size()` when all of it is.
std::size_t valid_utf8_prefix(std::string_view text);
/// The text with U+FFFD in place of every maximal part that is not valid (Unicode 15, section 3.9, as
/// browsers do).
std::string replace_invalid_utf8(std::string_view text);

}  // namespace stream
