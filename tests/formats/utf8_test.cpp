#include "utf8.hpp"

#include <gmock/gmock.h>

#include "stream/random.hpp"

namespace stream {
namespace {

TEST(Utf8, AcceptsWhatUnicodeAllows) {
  for (const char* text : {"", "ascii", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(valid_utf8_prefix(text), std::string_view(text).size());
    EXPECT_TRUE(valid_utf8(text));
    EXPECT_EQ(replace_invalid_utf8(text), text);
  }
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(valid_utf8_prefix("ab\xFFz"), 2u);
  EXPECT_EQ(valid_utf8_prefix("\xC0\xAF"), 0u);           // overlong
  EXPECT_EQ(valid_utf8_prefix("a\xED\xA0\x80"), 1u);      // surrogate
  EXPECT_EQ(valid_utf8_prefix("a\xF4\x90\x80\x80"), 1u);  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8_prefix("ab\xE2\x82"), 2u);         // cut
}

// The examples of Unicode 15, tables 3-8 to 3-11.
TEST(Utf8, ReplacesMaximalParts) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

TEST(Utf8, BothCheckersAgreeOnRandomBytes) {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random.below(6), ' ');
    for (char& c : text) c = static_cast<char>(random.below(3) == 0 ? random() : 0x80 + random.below(0x75));
    EXPECT_EQ(valid_utf8(text), valid_utf8_prefix(text) == text.size());
    EXPECT_TRUE(valid_utf8(replace_invalid_utf8(text)));
  }
}

}  // namespace
}  // namespace stream
