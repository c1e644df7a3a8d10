/// The alphabet of byte-level BPE (Radford et al. 2019): every byte as a printable character.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stream::llm {

/// The character of each byte, in UTF-8.
const std::array<std::string, 256>& byte_characters();
/// The inverse: no value for a character that stands for no byte.
std::optional<std::uint8_t> byte_of_character(char32_t character);

}  // namespace stream::llm
