/// Pixel aspect, chroma siting and field order on their way through readers, writers and conversions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "image_write.hpp"
#include "program/program.hpp"
#include "video_convert.hpp"
#include "video_files.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

constexpr Sampling kPal{16, 11, ChromaSiting::kLeft, FieldOrder::kTopFirst};

FrameLayout layout_of(const Sampling& sampling, int width = 32, int height = 32,
                      PixelFormat format = PixelFormat::kYuv420, int bits = 8) {
  return {width, height, format, bits, ColorRange::kLimited, "", sampling};
}

const Sampling& sampling(const ReadVideo& video, std::size_t frame = 0) {
  EXPECT_EQ(video.complaint, "");
  return video.frames.at(frame).as<Frame>().sampling();
}

Packet converted(const Object& params, const Packet& packet) {
  const auto op = testing::make<VideoConvert>(params);
  return testing::run(*op, {packet}).packets[0].at(0);
}

TEST(Sampling, Y4mComesOutAsItWentInHeaderIncluded) {
  for (const std::string header :
       {"YUV4MPEG2 W4 H2 F25:1 It A16:11 C420mpeg2 XYSCSS=420MPEG2\n",
        "YUV4MPEG2 W4 H2 F25:1 Ib A128:117 C420paldv XYSCSS=420PALDV XCOLORRANGE=LIMITED\n",
        "YUV4MPEG2 W4 H2 F25:1 Im A0:0 C420jpeg XYSCSS=420JPEG\n",
        "YUV4MPEG2 W4 H2 F25:1 I? A2:2 C420jpeg XYSCSS=420JPEG\n"}) {
    const std::string bytes = header + "FRAME\n0123456789abFRAME\ncdefghijklmn";
    EXPECT_EQ(written(read_bytes(bytes).frames, {}, ".y4m"), bytes);
  }
  const std::string deep =
      "YUV4MPEG2 W1 H1 F25:1 It A16:11 C420p10 XYSCSS=420P10 XSITING=mpeg2\nFRAME\nabcdef";
  EXPECT_EQ(written(read_bytes(deep).frames, {}, ".y4m"), deep);
}

TEST(Sampling, WhatTheWriterIsToldGoesBeforeWhatFramesSay) {
  const auto sent = moving(layout_of(kPal, 4, 4), 2);
  EXPECT_THAT(written(sent, {{"aspect", "1:1"}, {"siting", "paldv"}, {"interlacing", "b"}}, ".y4m"),
              HasSubstr("Ib A1:1 C420paldv"));
  EXPECT_THAT(written(sent, {{"interlacing", "?"}}, ".y4m"), HasSubstr("I? A16:11 C420mpeg2"));
  try {
    testing::make<VideoWrite>({{"path", "/dev/null"}, {"format", "y4m"}, {"aspect", "wide"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadRecipe);
    EXPECT_THAT(e.what(), HasSubstr("aspect: 'wide' is no pixel aspect"));
  }
}

TEST(Sampling, CodecsAndContainersCarryIt) {
  for (const auto fields : {FieldOrder::kTopFirst, FieldOrder::kBottomFirst, FieldOrder::kProgressive}) {
    const Sampling sent{16, 11, ChromaSiting::kLeft, fields};
    const auto frames = moving(layout_of(sent), 4);
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "libx264"}}, ".mkv"))), sent);
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "libx264"}}, ".mp4"))), sent);
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "ffv1"}}, ".mkv"))), sent);
    // MPEG-2 knows shapes of pictures, not of pixels.
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "mpeg2video"}}, ".mkv"))).fields, fields);
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "prores_ks"}}, ".mov"))).fields, fields);
  }
  for (const auto siting : {ChromaSiting::kCentre, ChromaSiting::kTopLeft}) {
    const auto frames = moving(layout_of({1, 1, siting, FieldOrder::kProgressive}), 2);
    EXPECT_EQ(sampling(read_bytes(written(frames, {{"codec", "libx264"}}, ".mkv"))).siting, siting);
  }
}

TEST(Sampling, HeightsThatHaveNoFieldsAreCodedAsPictures) {
  const ReadVideo got =
      read_bytes(written(moving(layout_of(kPal, 32, 30), 2), {{"codec", "libx264"}}, ".mkv"));
  EXPECT_EQ(got.complaint, "");
  EXPECT_EQ(got.frames.size(), 2u);
}

TEST(Sampling, ItMayChangeWithinAStream) {
  const auto wide = moving(layout_of(kPal, 4, 4), 2),
             square = moving(layout_of({1, 1, ChromaSiting::kLeft, FieldOrder::kProgressive}, 4, 4), 2);
  const ReadVideo got = read_bytes(written(wide, {}, ".y4m") + written(square, {}, ".y4m"));
  ASSERT_EQ(got.frames.size(), 4u);
  EXPECT_EQ(sampling(got, 1), kPal);
  EXPECT_EQ(sampling(got, 2), (Sampling{1, 1, ChromaSiting::kLeft, FieldOrder::kProgressive}));
  // One header for all: that of the first.
  const std::string again = written(got.frames, {}, ".y4m");
  EXPECT_EQ(again.substr(0, again.find('\n')),
            "YUV4MPEG2 W4 H4 F25:1 It A16:11 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED");
  EXPECT_EQ(read_bytes(again).frames.size(), 4u);
}

TEST(Sampling, OtherProportionsChangeTheAspect) {
  const Packet packet =
      moving(layout_of({16, 11, ChromaSiting::kLeft, FieldOrder::kProgressive}, 64, 48), 1)[0];
  const auto of = [&](const Object& params) { return converted(params, packet).as<Frame>().sampling(); };
  // 64x48 of 16:11 is shown as wide as 16/11 * 64/48.
  EXPECT_EQ(of({{"width", 32}}), (Sampling{16, 11, ChromaSiting::kLeft, FieldOrder::kProgressive}));
  EXPECT_EQ(of({{"width", 32}, {"height", 48}}),
            (Sampling{32, 11, ChromaSiting::kLeft, FieldOrder::kProgressive}));
  EXPECT_EQ(of({{"width", 128}, {"height", 66}}),
            (Sampling{1, 1, ChromaSiting::kLeft, FieldOrder::kProgressive}));
  EXPECT_EQ(of({{"format", "yuv444p"}}),
            (Sampling{16, 11, ChromaSiting::kUnspecified, FieldOrder::kProgressive}));
  const Packet nobody = moving(layout_of({}, 64, 48, PixelFormat::kYuv444), 1)[0];
  EXPECT_EQ(converted({{"width", 32}, {"height", 48}, {"format", "yuv420p"}}, nobody).as<Frame>().sampling(),
            (Sampling{0, 0, ChromaSiting::kCentre, FieldOrder::kUnknown}));
}

/// A ramp of chroma, u = 4 x in the samples of luma: what it becomes at full size tells where its samples
/// lie.
TEST(Sampling, ChromaIsResampledFromWhereItLies) {
  const auto ramp = [](ChromaSiting siting) {
    const FrameLayout layout = layout_of({1, 1, siting, FieldOrder::kProgressive}, 48, 16);
    std::vector<std::uint8_t> samples(layout.bytes(), 128);
    for (std::size_t y = 0; y < 8; ++y)
      for (std::size_t x = 0; x < 24; ++x)
        samples[48 * 16 + y * 24 + x] =
            static_cast<std::uint8_t>((siting == ChromaSiting::kCentre ? 2 : 0) + 8 * x +
                                      (siting == ChromaSiting::kTopLeft ? 0 : 2) + 4 * y);
    return Packet::of<Frame>(Time{0}, layout.frame(Buffer::own(std::move(samples))));
  };
  for (const auto siting : {ChromaSiting::kLeft, ChromaSiting::kCentre, ChromaSiting::kTopLeft}) {
    const Packet full = converted({{"format", "yuv444p"}, {"kernel", "bilinear"}}, ramp(siting));
    const auto& plane = full.as<Frame>().planes()[1];
    for (std::size_t y = 4; y < 12; ++y)
      for (std::size_t x = 4; x < 40; ++x)
        // Of the chroma at that place: 4 for each column, 2 for each row, and 1 more where rows lie between.
        EXPECT_NEAR(plane.data.as<std::uint8_t>()[y * plane.stride + x],
                    4.0 * static_cast<double>(x) + 2.0 * static_cast<double>(y) +
                        (siting == ChromaSiting::kTopLeft ? 0 : 1),
                    1.01)
            << x << "," << y << " " << name_of(siting);
  }
}

TEST(Sampling, PicturesKeepTheAspect) {
  const laws::ScratchFile file("", ".png");
  const auto op = testing::make<ImageWrite>({{"path", file.path()}});
  testing::Collector out(0);
  op->process(moving(layout_of(kPal, 16, 16, PixelFormat::kRgb), 1)[0], out);
  const ReadVideo got = read_video(file.path());
  // PNG states pixels for each metre.
  EXPECT_NEAR(static_cast<double>(sampling(got).aspect_width) / sampling(got).aspect_height, 16.0 / 11,
              0.001);
}

/// FFmpeg's own program reads what was written, and the other way round.
TEST(Sampling, FfmpegSaysTheSame) {
  const testing::ScratchFolder folder;
  const auto run = [&](std::vector<std::string> argv) {
    return testing::run({.argv = std::move(argv), .input = "", .folder = folder.path()});
  };
  if (run({"ffprobe", "-version"}).exit_code != 0) GTEST_SKIP() << "there is no ffprobe to compare with";
  for (const char* codec : {"libx264", "ffv1"}) {
    testing::write_contents(folder / "v.mkv",
                            written(moving(layout_of(kPal), 3), {{"codec", codec}}, ".mkv"));
    const std::string said =
        run({"ffprobe", "-v", "error", "-show_entries",
             "stream=sample_aspect_ratio,chroma_location,field_order:frame=interlaced_frame,top_field_first",
             "-of", "compact", "v.mkv"})
            .out;
    EXPECT_THAT(said, HasSubstr("frame|interlaced_frame=1|top_field_first=1"));
    EXPECT_THAT(said, HasSubstr("sample_aspect_ratio=16:11"));
    EXPECT_THAT(said, HasSubstr("chroma_location=left"));
    EXPECT_THAT(said, HasSubstr("field_order=t"));
  }
  ASSERT_EQ(run({"ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=50:d=0.4", "-vf",
                 "interlace,setsar=16/11", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-flags", "+ildct+ilme",
                 "v.mp4"})
                .exit_code,
            0);
  EXPECT_EQ(sampling(read_video((folder / "v.mp4").string())), kPal);
}

}  // namespace
}  // namespace stream
