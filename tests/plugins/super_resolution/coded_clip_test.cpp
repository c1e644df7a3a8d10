/// Clips through x264, as the study's rate check has them.
#include "super_resolution/coded_clip.hpp"

#include <gtest/gtest.h>

namespace stream::super_resolution {
namespace {

std::vector<Pixels> moving_squares(int frames) {
  std::vector<Pixels> out;
  for (int f = 0; f < frames; ++f) {
    Pixels p{64, 48, std::vector<std::uint8_t>(3 * 64 * 48)};
    auto sample = p.samples.begin();
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 48; ++y)
        for (int x = 0; x < 64; ++x)
          *sample++ = static_cast<std::uint8_t>(60 + 40 * ((x + f) / 8 % 2) + 30 * (y / 8 % 2) + 2 * c +
                                                (x * y + f) % 5);
    out.push_back(std::move(p));
  }
  return out;
}

double psnr(const std::vector<Pixels>& a, const std::vector<Pixels>& b) {
  double error = 0;
  for (std::size_t i = 0; i < a.size(); ++i) error += squared_error(a[i], b[i]);
  return psnr_of(error, static_cast<double>(a.size()) * 3 * 64 * 48);
}

TEST(CodedClip, MoreBytesAreMoreLikeTheClip) {
  const auto clip = moving_squares(8);
  const CodedClip good = through_x264(clip, 4), poor = through_x264(clip, 40);
  ASSERT_EQ(good.frames.size(), 8u);
  ASSERT_EQ(poor.frames.size(), 8u);
  EXPECT_GT(good.bytes, poor.bytes);
  EXPECT_GT(psnr(good.frames, clip), 42);
  EXPECT_LT(psnr(poor.frames, clip), psnr(good.frames, clip) - 5);
  EXPECT_GT(psnr(poor.frames, clip), 15);
  // The same again, byte for byte as far as a decoder can tell.
  EXPECT_EQ(through_x264(clip, 4).bytes, good.bytes);
}

TEST(CodedClip, TheLargestThatFitsIsFound) {
  const auto clip = moving_squares(8);
  const std::size_t room = (through_x264(clip, 10).bytes + through_x264(clip, 30).bytes) / 2;
  const CodedClip found = at_most(clip, room);
  EXPECT_LE(found.bytes, room);
  EXPECT_GT(through_x264(clip, found.crf - 1).bytes, room);
  EXPECT_EQ(at_most(clip, 1).crf, 51);
}

}  // namespace
}  // namespace stream::super_resolution
