#include "pcm.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "stream/error.hpp"

namespace stream {
namespace {

float decoded(PcmEncoding encoding, std::initializer_list<int> bytes) {
  std::string text;
  for (const int b : bytes) text += static_cast<char>(b);
  float out = 0;
  decode_pcm(encoding, text.data(), {&out, 1});
  return out;
}

TEST(Pcm, DecodesEveryEncoding) {
  EXPECT_EQ(decoded(PcmEncoding::kU8, {0}), -1.f);
  EXPECT_EQ(decoded(PcmEncoding::kU8, {192}), 0.5f);
  EXPECT_EQ(decoded(PcmEncoding::kS8, {0xC0}), -0.5f);
  EXPECT_EQ(decoded(PcmEncoding::kS16Le, {0x00, 0x80}), -1.f);
  EXPECT_EQ(decoded(PcmEncoding::kS16Be, {0x40, 0x00}), 0.5f);
  EXPECT_EQ(decoded(PcmEncoding::kS24Le, {0x00, 0x00, 0xC0}), -0.5f);
  EXPECT_EQ(decoded(PcmEncoding::kS24Be, {0x20, 0x00, 0x00}), 0.25f);
  EXPECT_EQ(decoded(PcmEncoding::kS32Le, {0, 0, 0, 0xE0}), -0.25f);
  EXPECT_EQ(decoded(PcmEncoding::kS32Be, {0x40, 0, 0, 0}), 0.5f);
  EXPECT_EQ(decoded(PcmEncoding::kF32Le, {0, 0, 0xC0, 0xBF}), -1.5f);
  EXPECT_EQ(decoded(PcmEncoding::kF32Be, {0x3F, 0x80, 0, 0}), 1.f);
  EXPECT_EQ(decoded(PcmEncoding::kF64Le, {0, 0, 0, 0, 0, 0, 0xE0, 0x3F}), 0.5f);
  // ITU-T G.711: the ends and the middle of both laws.
  EXPECT_EQ(decoded(PcmEncoding::kMuLaw, {0x00}), -32124 / 32768.f);
  EXPECT_EQ(decoded(PcmEncoding::kMuLaw, {0x80}), 32124 / 32768.f);
  EXPECT_EQ(decoded(PcmEncoding::kMuLaw, {0xFF}), 0.f);
  EXPECT_EQ(decoded(PcmEncoding::kALaw, {0xD5}), 8 / 32768.f);
  EXPECT_EQ(decoded(PcmEncoding::kALaw, {0x2A}), -32256 / 32768.f);
}

TEST(Pcm, IntegersComeBackUnchanged) {
  for (const auto encoding : {PcmEncoding::kS16Le, PcmEncoding::kS24Le}) {
    std::string bytes;
    for (int i = 0; i < 3000; ++i) bytes += static_cast<char>(i * 31 + i / 7);
    std::vector<float> samples(bytes.size() / size_of(encoding));
    decode_pcm(encoding, bytes.data(), samples);
    std::string again;
    encode_pcm(encoding, samples, again);
    EXPECT_EQ(again, bytes);
  }
}

TEST(Pcm, LoudSamplesAreHeldAtTheEndOfTheRange) {
  const float samples[] = {1.f, 2.f, -1.f, -7.f};
  std::string bytes;
  encode_pcm(PcmEncoding::kS16Le, samples, bytes);
  EXPECT_EQ(bytes, std::string("\xFF\x7F\xFF\x7F\x00\x80\x00\x80", 8));
}

TEST(Pcm, NamesAreUnderstoodBothWays) {
  EXPECT_EQ(pcm_encoding("s24le"), PcmEncoding::kS24Le);
  EXPECT_STREQ(name_of(PcmEncoding::kALaw), "alaw");
  EXPECT_THROW(pcm_encoding("s12"), Error);
}

}  // namespace
}  // namespace stream
