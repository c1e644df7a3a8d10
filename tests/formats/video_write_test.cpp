#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_write.hpp"
#include "stream/file.hpp"
#include "video_convert.hpp"
#include "video_files.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

template <typename Op>
std::string complaint(const Object& params, const std::vector<Packet>& packets = {}) {
  testing::Collector out(1);
  try {
    const auto op = testing::make<Op>(params);
    for (const Packet& packet : packets) op->process(packet, out);
    op->finish(out);
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(VideoWrite, NamesThatDoNotExistAreRefusedWithTheNearest) {
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.mkv"}, {"codec", "libx265x"}}),
              HasSubstr("is no video encoder"));
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.mkv"}, {"codec", "ffv2"}}),
              HasSubstr("did you mean 'ffv1'"));
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x"}, {"format", "matroskaa"}}),
              HasSubstr("did you mean 'matroska'"));
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.unknown"}}), HasSubstr("no video format is known"));
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.y4m"}, {"codec", "ffv1"}}), HasSubstr("are for containers"));
  const laws::ScratchFile file("", ".mkv");
  EXPECT_THAT(complaint<VideoWrite>({{"path", file.path()}, {"codec", "ffv1"}, {"options", Array{"levle=3"}}},
                                    moving({16, 16, PixelFormat::kYuv420}, 1)),
              HasSubstr("option 'levle' is known neither to the encoder ffv1"));
}

/// Joined streams are read as one: every frame, with its time.
TEST(VideoWrite, SegmentsFollowOneAnother) {
  const auto sent = moving({64, 48, PixelFormat::kYuv420}, 25, {30000, 1001});
  for (const char* codec : {"libx264", "mpeg2video"}) {
    for (const int segment : {0, 1, 7, 25, 100}) {
      const ReadVideo got = read_bytes(
          written(sent, {{"codec", codec}, {"options", Array{"bf=2"}}, {"segment", segment}}, ".ts"));
      EXPECT_EQ(got.complaint, "") << codec << segment;
      ASSERT_EQ(got.frames.size(), 25u) << codec << segment;
      // MPEG-TS counts in ninety thousandths of a second.
      for (std::size_t i = 0; i < 25; ++i)
        EXPECT_NEAR(static_cast<double>(got.frames[i].time.count()),
                    static_cast<double>(sent[i].time.count()), 12'000)
            << codec << segment << " " << i;
    }
  }
}

TEST(VideoWrite, SegmentsAreForFormatsThatCanBeJoined) {
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.mkv"}, {"segment", 10}}),
              HasSubstr("segment is for formats whose streams may follow one another (mpegts, h264"));
  EXPECT_THAT(complaint<VideoWrite>({{"path", "x.y4m"}, {"segment", 10}}),
              HasSubstr("segment is for encoders"));
}

TEST(VideoWrite, AFrameOfAnotherSizeIsNamed) {
  auto packets = moving({16, 16, PixelFormat::kYuv420}, 2);
  packets.push_back(moving({18, 16, PixelFormat::kYuv420}, 3).back());
  const laws::ScratchFile file("", ".y4m");
  EXPECT_THAT(complaint<VideoWrite>({{"path", file.path()}}, packets),
              HasSubstr("frame 2 is 18x16 yuv420p in a stream of 16x16 yuv420p"));
}

TEST(VideoWrite, RgbBecomesWhatTheEncoderTakes) {
  const auto sent = moving({32, 32, PixelFormat::kRgb}, 3);
  const ReadVideo got =
      read_bytes(written(sent, {{"codec", "libx264"}, {"options", Array{"crf=10"}}}, ".mkv"));
  EXPECT_EQ(got.complaint, "");
  ASSERT_EQ(got.frames.size(), 3u);
  EXPECT_NE(got.frames[0].as<Frame>().format(), PixelFormat::kRgb);
  EXPECT_THAT(complaint<VideoWrite>({{"path", "/dev/null"}, {"format", "y4m"}}, sent),
              HasSubstr("YUV4MPEG2 does not hold RGB"));
}

TEST(VideoConvert, WhatIsSoAlreadyIsPassedAsItIs) {
  const auto sent = moving({16, 16, PixelFormat::kYuv420}, 2);
  const auto op = testing::make<VideoConvert>({{"format", "yuv420p"}, {"width", 16}});
  const auto out = testing::run(*op, sent);
  ASSERT_EQ(out.packets[0].size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(out.packets[0][i].payload, sent[i].payload);
}

TEST(VideoConvert, GrayStaysGrayThroughRgbAndBack) {
  // Of equal chroma, limited range: R = G = B = 255/219 (Y - 16).
  std::vector<std::uint8_t> samples(16 * 8 + 2 * 8 * 4, 128);
  for (int i = 0; i < 16 * 8; ++i) samples[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(16 + i);
  const FrameLayout layout{16, 8, PixelFormat::kYuv420, 8, ColorRange::kLimited, "bt709"};
  Packet packet = Packet::of<Frame>(Time{0}, layout.frame(Buffer::own(std::vector<std::uint8_t>(samples))));
  const auto to = testing::make<VideoConvert>({{"format", "rgb"}});
  const auto rgb = testing::run(*to, {packet});
  const auto& planes = rgb.packets[0][0].as<Frame>().planes();
  for (int i = 0; i < 16 * 8; ++i)
    for (const auto& plane : planes)
      EXPECT_NEAR(plane.data.as<std::uint8_t>()[static_cast<std::size_t>(i)], 255.0 / 219 * i, 1.01) << i;
  const auto from = testing::make<VideoConvert>({{"format", "yuv420p"}, {"matrix", "bt709"}});
  const auto back = testing::run(*from, {rgb.packets[0][0]});
  const auto& luma = back.packets[0][0].as<Frame>().planes()[0];
  for (int i = 0; i < 16 * 8; ++i)
    EXPECT_NEAR(luma.data.as<std::uint8_t>()[static_cast<std::size_t>(i)], 16 + i, 1.01) << i;
}

TEST(VideoConvert, KeepsTheProportionsOfAGivenSide) {
  const auto op = testing::make<VideoConvert>({{"height", 6}});
  const auto out = testing::run(*op, moving({33, 12, PixelFormat::kGray}, 1));
  EXPECT_EQ(out.packets[0][0].as<Frame>().width(), 17);
}

TEST(ImageWrite, PicturesComeBackBitForBit) {
  for (const FrameLayout& layout :
       {FrameLayout{13, 7, PixelFormat::kRgb}, {13, 7, PixelFormat::kGray, 8, ColorRange::kFull}}) {
    const auto sent = moving(layout, 1);
    const laws::ScratchFile file("", ".png");
    EXPECT_EQ(complaint<ImageWrite>({{"path", file.path()}}, sent), "none");
    const ReadVideo got = read_video(file.path());
    EXPECT_EQ(got.complaint, "");
    ASSERT_EQ(got.frames.size(), 1u);
    for (int i = 0; i < layout.planes(); ++i) {
      const auto& sent_plane = sent[0].as<Frame>().planes()[static_cast<std::size_t>(i)];
      const auto& got_plane = got.frames[0].as<Frame>().planes()[static_cast<std::size_t>(i)];
      for (int y = 0; y < layout.height; ++y)
        EXPECT_EQ(std::memcmp(sent_plane.data.data() + static_cast<std::size_t>(y) * sent_plane.stride,
                              got_plane.data.data() + static_cast<std::size_t>(y) * got_plane.stride,
                              static_cast<std::size_t>(layout.width)),
                  0);
    }
  }
}

TEST(ImageWrite, RefusesASecondPictureUnderOneName) {
  const laws::ScratchFile file("", ".png");
  const auto two = moving({4, 4, PixelFormat::kGray}, 2);
  EXPECT_THAT(complaint<ImageWrite>({{"path", file.path()}}, two), HasSubstr("takes one picture"));
  EXPECT_EQ(complaint<ImageWrite>({{"path", file.path()}, {"frame", 1}}, two), "none");
  EXPECT_THAT(complaint<ImageWrite>({{"path", "a%s.png"}}), HasSubstr("expected one number"));
}

}  // namespace
}  // namespace stream
