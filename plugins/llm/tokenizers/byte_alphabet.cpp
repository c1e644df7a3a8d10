#include "llm/tokenizers/byte_alphabet.hpp"

#include "llm/tokenizers/utf8.hpp"

namespace stream::llm {
namespace {

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<std::int16_t, 0x144> bytes;  ///< -1: no byte's character

  Alphabet() {
    bytes.fill(-1);
    char32_t spare = 0x100;  // bytes that are not printable in Latin-1 take characters from here, in order
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const char32_t character = printable ? static_cast<char32_t>(byte) : spare++;
      characters[byte] = utf8_of(character);
      bytes[character] = static_cast<std::int16_t>(byte);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet only;
  return only;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() { return alphabet().characters; }

std::optional<std::uint8_t> byte_of_character(char32_t character) {
  const auto& bytes = alphabet().bytes;
  if (character >= bytes.size() || bytes[character] < 0) return std::nullopt;
  return static_cast<std::uint8_t>(bytes[character]);
}

}  // namespace stream::llm
