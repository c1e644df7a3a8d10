/// The header of YUV4MPEG2, frame rates and times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/error.hpp"
#include "y4m.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

std::string complaint(const std::string& line) {
  try {
    Y4mHeader::parse(line);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    return e.what();
  }
  return "none";
}

/// As ffmpeg 5.1 writes them.
constexpr const char* kHeaders[] = {
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG XCOLORRANGE=LIMITED",
    "YUV4MPEG2 W31 H21 F30000:1001 Ip A1:1 C422 XYSCSS=422 XCOLORRANGE=LIMITED",
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 C444 XYSCSS=444 XCOLORRANGE=LIMITED",
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 Cmono XCOLORRANGE=FULL",
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 C420p10 XYSCSS=420P10 XCOLORRANGE=LIMITED",
    "YUV4MPEG2 W30 H20 F25:1 It A128:117 C444p12 XYSCSS=444P12 XCOLORRANGE=LIMITED",
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 Cmono10 XCOLORRANGE=FULL",
    "YUV4MPEG2 W30 H20 F25:1 Ip A0:0 C420mpeg2 XYSCSS=420MPEG2",
    "YUV4MPEG2 W30 H20 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG XCOLORRANGE=FULL XMATRIX=bt709",
};

TEST(Y4m, HeadersComeOutAsTheyWentIn) {
  for (const std::string line : kHeaders) EXPECT_EQ(Y4mHeader::parse(line).text(), line + "\n");
}

TEST(Y4m, WhatIsMissingHasTheValuesOfTheFormat) {
  const Y4mHeader header = Y4mHeader::parse("YUV4MPEG2 W3 H5 F24:1");
  EXPECT_EQ(header.layout, (FrameLayout{3,
                                        5,
                                        PixelFormat::kYuv420,
                                        8,
                                        ColorRange::kUnspecified,
                                        "",
                                        {0, 0, ChromaSiting::kCentre, FieldOrder::kUnknown}}));
  EXPECT_EQ(header.layout.bytes(), 15u + 2 * 6u);
  EXPECT_EQ(Y4mHeader::parse("YUV4MPEG2 H5  F24:1 W3 Zwhatever XCOMMENT").layout, header.layout);
}

TEST(Y4m, WrongHeadersAreNamed) {
  EXPECT_THAT(complaint("YUV4MPEG2 H5 F24:1"), HasSubstr("lacks a width"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H5"), HasSubstr("lacks a frame rate"));
  EXPECT_THAT(complaint("YUV4MPEG2 W0 H5 F24:1"), HasSubstr("width 0 is not within 1 to 32768"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H999999999999999999999 F24:1"), HasSubstr("is no height"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H99999999 F24:1"), HasSubstr("height 99999999 is not within"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24:0"), HasSubstr("is no frame rate"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24 C411"), HasSubstr("colour space 'C411' is not known"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24 C420p17"), HasSubstr("is not known"));
  EXPECT_THAT(complaint("YUV4MPEG2W4 H4 F24"), HasSubstr("expected a space"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24 Ix"), HasSubstr("interlacing 'x': expected p, t, b, m or ?"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24 A16"), HasSubstr("is no pixel aspect"));
  EXPECT_THAT(complaint("YUV4MPEG2 W4 H4 F24 A-1:1"), HasSubstr("expected a ratio like 16:11"));
}

TEST(Y4m, RatesComeBackFromTheLengthOfAFrame) {
  for (const Rational r : {Rational{24, 1},
                           {25, 1},
                           {30, 1},
                           {50, 1},
                           {60, 1},
                           {120, 1},
                           {24000, 1001},
                           {30000, 1001},
                           {60000, 1001},
                           {120000, 1001},
                           {1, 1},
                           {15, 2},
                           {25, 2},
                           {1000, 7}})
    EXPECT_EQ(rate_of(time_of(1, r).count()), r) << r.num << "/" << r.den;
  EXPECT_EQ(rate_of(1'000'000'000LL * 3600).num, 1);
}

TEST(Y4m, TimesAreExactForHours) {
  const Rational ntsc{30000, 1001};
  EXPECT_EQ(time_of(30000LL * 3600, ntsc).count(), 1001LL * 3600 * 1'000'000'000);
  EXPECT_EQ(time_of(1, ntsc).count(), 33366667);
  EXPECT_EQ(time_of(2, ntsc).count(), 66733333);
}

TEST(FramePool, BlocksAreUsedAgainAndOutliveThePool) {
  std::shared_ptr<std::byte> last;
  {
    FramePool pool;
    std::byte* const first = pool.take(1000).get();
    last = pool.take(1000);
    EXPECT_EQ(last.get(), first);
    EXPECT_NE(pool.take(1000).get(), first);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.take(7).get()) % 64, 0u);
  }
  *last = std::byte{1};
}

}  // namespace
}  // namespace stream
