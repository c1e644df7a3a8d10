#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program/program.hpp"
#include "video_files.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

std::vector<FrameLayout> layouts() {
  std::vector<FrameLayout> out;
  for (const auto format :
       {PixelFormat::kGray, PixelFormat::kYuv420, PixelFormat::kYuv422, PixelFormat::kYuv444})
    for (const int bits : {8, 10, 12, 16})
      for (const int odd : {0, 1})
        out.push_back(
            {16 + odd,
             10 + odd,
             format,
             bits,
             odd != 0 ? ColorRange::kFull : ColorRange::kLimited,
             odd != 0 ? "" : "bt709",
             {16, 11, format == PixelFormat::kYuv420 ? ChromaSiting::kTopLeft : ChromaSiting::kUnspecified,
              odd != 0 ? FieldOrder::kBottomFirst : FieldOrder::kProgressive}});
  return out;
}

TEST(VideoRead, FramesOfY4mComeBackBitForBit) {
  for (const FrameLayout& layout : layouts()) {
    const auto sent = moving(layout, 3, {30000, 1001});
    const std::string bytes = written(sent, {}, ".y4m");
    const ReadVideo got = read_bytes(bytes);
    EXPECT_EQ(got.complaint, "");
    ASSERT_EQ(got.frames.size(), sent.size()) << layout.text();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(testing::bytes_of(*got.frames[i].payload), testing::bytes_of(*sent[i].payload))
          << layout.text();
      EXPECT_EQ(got.frames[i].time, sent[i].time);
      EXPECT_EQ(got.frames[i].duration, sent[i].duration);
    }
    EXPECT_EQ(written(got.frames, {}, ".y4m"), bytes) << layout.text();
  }
}

TEST(VideoRead, LosslessCodecsGiveBackFramesOddSizesAndTimes) {
  for (const FrameLayout& layout :
       {FrameLayout{17,
                    11,
                    PixelFormat::kYuv420,
                    8,
                    ColorRange::kFull,
                    "bt709",
                    {1, 1, ChromaSiting::kLeft, FieldOrder::kProgressive}},
        FrameLayout{17,
                    11,
                    PixelFormat::kYuv422,
                    10,
                    ColorRange::kLimited,
                    "bt2020nc",
                    {1, 1, ChromaSiting::kTopLeft, FieldOrder::kProgressive}},
        FrameLayout{9,
                    9,
                    PixelFormat::kYuv444,
                    8,
                    ColorRange::kLimited,
                    "",
                    {1, 1, ChromaSiting::kUnspecified, FieldOrder::kProgressive}},
        FrameLayout{9,
                    9,
                    PixelFormat::kGray,
                    8,
                    ColorRange::kFull,
                    "",
                    {1, 1, ChromaSiting::kUnspecified, FieldOrder::kProgressive}}}) {
    const auto sent = moving(layout, 5, {25, 1});
    const ReadVideo got = read_bytes(written(sent, {{"codec", "ffv1"}}, ".mkv"));
    EXPECT_EQ(got.complaint, "");
    ASSERT_EQ(got.frames.size(), 5u) << layout.text();
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(testing::bytes_of(*got.frames[i].payload), testing::bytes_of(*sent[i].payload))
          << layout.text();
      EXPECT_EQ(got.frames[i].time, sent[i].time);
    }
  }
}

TEST(VideoRead, VariableRatesAreExactInMp4) {
  auto sent = moving({32, 16, PixelFormat::kYuv420}, 6);
  constexpr int kMilliseconds[] = {0, 40, 41, 1000, 1001, 5000};
  for (std::size_t i = 0; i < 6; ++i) sent[i].time = std::chrono::milliseconds(kMilliseconds[i]);
  const ReadVideo got =
      read_bytes(written(sent, {{"codec", "libx264"}, {"options", Array{"crf=1"}}}, ".mp4"));
  EXPECT_EQ(got.complaint, "");
  ASSERT_EQ(got.frames.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(got.frames[i].time, sent[i].time) << i;
  const auto ntsc = moving({32, 16, PixelFormat::kYuv420}, 40, {30000, 1001});
  const ReadVideo exact = read_bytes(written(ntsc, {{"codec", "libx264"}}, ".mp4"));
  ASSERT_EQ(exact.frames.size(), 40u);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(exact.frames[i].time, ntsc[i].time) << i;
}

TEST(VideoRead, WhatIsCutIsNamedAfterTheFramesBefore) {
  const auto sent = moving({16, 10, PixelFormat::kYuv420}, 3);
  const std::string y4m = written(sent, {}, ".y4m");
  const std::size_t frame = 6 + 240, header = y4m.size() - 3 * frame;
  ReadVideo got = read_bytes(y4m.substr(0, y4m.size() - 100));
  EXPECT_EQ(got.frames.size(), 2u);
  EXPECT_THAT(got.complaint, HasSubstr(": byte " + std::to_string(header + 2 * frame) +
                                       ": the input ends inside frame 2, after 140 of 240 bytes"));
  got = read_bytes(y4m.substr(0, header + frame + 3));
  EXPECT_EQ(got.frames.size(), 1u);
  EXPECT_THAT(got.complaint, HasSubstr("the input ends inside the line before frame 1"));
  EXPECT_THAT(read_bytes(y4m.substr(0, 20)).complaint, HasSubstr("inside the header"));
  EXPECT_THAT(read_bytes("").complaint, HasSubstr("is empty: expected video"));

  const std::string ts =
      written(moving({64, 48, PixelFormat::kYuv420}, 25), {{"codec", "mpeg2video"}}, ".ts");
  EXPECT_EQ(read_bytes(ts).complaint, "");
  got = read_bytes(ts.substr(0, ts.size() / 2 + (ts.size() / 2) % 188 + 7));
  EXPECT_THAT(got.complaint, HasSubstr("the input ends inside a transport packet, at byte"));
  EXPECT_GT(got.frames.size(), 5u);

  const std::string mkv = written(moving({64, 48, PixelFormat::kYuv420}, 25), {{"codec", "ffv1"}}, ".mkv");
  for (const double part : {0.4, 0.8, 0.99}) {
    got = read_bytes(mkv.substr(0, static_cast<std::size_t>(part * static_cast<double>(mkv.size()))));
    EXPECT_THAT(got.complaint, HasSubstr("the input")) << part;
    EXPECT_LT(got.frames.size(), 25u) << part;
    if (part > 0.5) {
      EXPECT_GT(got.frames.size(), 0u) << part;
    }
  }
  // Where a reader has seen no frame yet, none is counted.
  EXPECT_THAT(read_bytes(mkv.substr(0, 700)).complaint, HasSubstr("cut before its first frame"));
}

TEST(VideoRead, AStreamThatChangesIsNamedAfterTheFramesBefore) {
  const std::string one = written(moving({16, 10, PixelFormat::kYuv420}, 2), {}, ".y4m");
  ReadVideo got = read_bytes(one + one);
  EXPECT_EQ(got.complaint, "");
  EXPECT_EQ(got.frames.size(), 4u);
  for (const FrameLayout& other :
       {FrameLayout{16, 12, PixelFormat::kYuv420}, {16, 10, PixelFormat::kYuv422}}) {
    got = read_bytes(one + written(moving(other, 2), {}, ".y4m"));
    EXPECT_EQ(got.frames.size(), 2u);
    EXPECT_THAT(got.complaint, HasSubstr("another header where frame 2 was expected"));
  }
  got = read_bytes(one + "FRAMX\n");
  EXPECT_THAT(got.complaint, HasSubstr("expected 'FRAME' before frame 2"));
  // MPEG-4 elementary streams may be joined, each with a header of its own.
  const auto m4v = [](int width) {
    return written(moving({width, 48, PixelFormat::kYuv420}, 3), {{"format", "m4v"}, {"codec", "mpeg4"}},
                   ".m4v");
  };
  got = read_bytes(m4v(64) + m4v(80), {{"rate", "25"}});
  EXPECT_THAT(got.complaint, HasSubstr("size and format of a stream cannot change"));
  EXPECT_EQ(got.frames.size(), 3u);
}

TEST(VideoRead, AbsurdSizesAreRefusedWithoutAllocating) {
  // Within the bounds of a picture, but of bytes that are not there.
  const ReadVideo got = read_bytes("YUV4MPEG2 W32768 H32768 F25:1 C444p16\nFRAME\nabc");
  EXPECT_THAT(got.complaint, HasSubstr("after 3 of 6442450944 bytes"));
}

TEST(VideoRead, MissingTimestampsAreNamedAndCanBeCounted) {
  const std::string m4v =
      written(moving({64, 48, PixelFormat::kYuv420}, 4),
              {{"format", "m4v"}, {"codec", "mpeg4"}, {"options", Array{"bf=1"}}}, ".m4v");
  const ReadVideo counted = read_bytes(m4v, {{"rate", "10"}});
  EXPECT_EQ(counted.complaint, "");
  ASSERT_EQ(counted.frames.size(), 4u);
  EXPECT_EQ(counted.frames[3].time, std::chrono::milliseconds(300));
}

/// Programme streams stamp a packet now and then.
TEST(VideoRead, FramesBetweenStampsFollowTheOnesBefore) {
  const auto sent = moving({64, 48, PixelFormat::kYuv420}, 30, {50, 1});
  const ReadVideo got = read_bytes(written(sent, {{"format", "mpeg"}, {"codec", "mpeg2video"}}, ".mpg"));
  EXPECT_EQ(got.complaint, "");
  ASSERT_EQ(got.frames.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(got.frames[i].time, sent[i].time) << i;
}

TEST(VideoRead, OtherFilesAreNamed) {
  EXPECT_THAT(read_bytes("nothing like a video, but text").complaint, HasSubstr("video"));
  EXPECT_THAT(read_video(STREAM_SOURCE_DIR "/share/examples/numbers.flac").complaint,
              HasSubstr("without a video stream"));
}

/// FFmpeg's own program is the judge of what was decoded.
TEST(VideoRead, DecodesWhatFfmpegDecodes) {
  const testing::ScratchFolder folder;
  const auto ffmpeg = [&](std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"ffmpeg", "-y", "-v", "error"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return testing::run({.argv = argv, .input = "", .folder = folder.path()}).exit_code;
  };
  if (ffmpeg({"-version"}) != 0) GTEST_SKIP() << "there is no ffmpeg to compare with";
  for (const std::vector<std::string>& codec :
       std::vector<std::vector<std::string>>{{"-c:v", "libx264", "-bf", "2", "v.mp4"},
                                             {"-c:v", "libx264", "-pix_fmt", "yuv420p10le", "v.mkv"},
                                             {"-c:v", "mpeg2video", "-bf", "2", "v.ts"},
                                             {"-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "v.avi"}}) {
    std::vector<std::string> make = {"-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.6"};
    make.insert(make.end(), codec.begin(), codec.end());
    ASSERT_EQ(ffmpeg(make), 0) << codec.back();
    ASSERT_EQ(ffmpeg({"-i", codec.back(), "-f", "rawvideo", "v.raw"}), 0);
    const ReadVideo got = read_video((folder / codec.back()).string());
    EXPECT_EQ(got.complaint, "") << codec.back();
    EXPECT_EQ(written(got.frames, {}, ".raw"), testing::contents(folder / "v.raw")) << codec.back();
    for (std::size_t i = 0; i < got.frames.size(); ++i)
      EXPECT_EQ(got.frames[i].time, std::chrono::milliseconds(40 * i)) << codec.back();
  }
}

}  // namespace
}  // namespace stream
