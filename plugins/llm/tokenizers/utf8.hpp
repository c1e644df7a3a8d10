/// UTF-8 that arrives in any pieces, as whole characters; and single characters of valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stream::llm {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  ///< U+FFFD

/// Bytes of the character that begins with `lead`, in valid UTF-8.
inline std::size_t utf8_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
inline bool utf8_continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }
/// The code point of one whole character.
char32_t code_point(std::string_view character);
/// The first and the last character of a valid text that is not empty.
inline std::string_view first_character(std::string_view text) { return text.substr(0, utf8_size(text[0])); }
std::string_view last_character(std::string_view text);
std::string utf8_of(char32_t code_point);

/// Puts U+FFFD in place of every maximal part that is not valid (Unicode 15, section 3.9; what Python calls
/// errors="replace"), and holds back the bytes of a character that has not ended.
class Utf8Pieces {
 public:
  enum class Invalid { kMaximalPart, kEachByte };  ///< what becomes one U+FFFD
  explicit Utf8Pieces(Invalid invalid = Invalid::kMaximalPart) : invalid_(invalid) {}
  /// What is certain now; with `ended`, an unfinished character is replaced as well.
  std::string push(std::string_view bytes, bool ended);
  const std::string& held() const { return held_; }
  /// At most three bytes.
  void hold(std::string bytes) { held_ = std::move(bytes); }

 private:
  Invalid invalid_;
  std::string held_;
};

}  // namespace stream::llm
