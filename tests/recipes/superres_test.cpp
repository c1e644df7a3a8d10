/// A video is learnt, played, compared; a live one; the study.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program/program.hpp"
#include "stream/value.hpp"

namespace stream::testing {
namespace {

Outcome stream(const ScratchFolder& folder, std::vector<std::string> arguments,
               const std::string& input = "") {
  arguments.insert(arguments.begin(), STREAM_BINARY_DIR "/bin/stream");
  return run({.argv = std::move(arguments),
              .input = input,
              .folder = folder.path(),
              .deadline = std::chrono::minutes(4)});
}

Object last_record(const std::string& lines) {
  return Value::parse(lines.substr(lines.rfind('\n', lines.size() - 2) + 1)).as_object();
}

/// HR in RGB that loses nothing as YUV4MPEG2 would: FFV1 in Matroska.
std::string clip(const ScratchFolder& folder) {
  write_contents(
      folder / "clip.toml",
      "[nodes.clip]\nuse = \"video_world.clip\"\nclip = \"talk\"\nframes = 6\nwidth = 64\nheight = 48\n"
      "[nodes.out]\nuse = \"video.write\"\nfrom = \"clip\"\npath = \"clip.mkv\"\ncodec = \"ffv1\"\n");
  const Outcome made = stream(folder, {"run", "clip.toml"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  return "clip.mkv";
}

TEST(Superres, AVideoIsLearntPlayedAndCompared) {
  const ScratchFolder folder;
  const std::string hr = clip(folder);
  const Outcome trained = stream(folder, {"run", "superres-train", "-i", hr, "--set", "params.steps=150",
                                          "--set", "params.models=2", "--set", "params.columns=2", "--set",
                                          "params.rows=2", "--checkpoint", "run.checkpoint", "--resume"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Object all = last_record(trained.out);
  EXPECT_EQ(all.find("frames")->as_integer(), 6);
  EXPECT_GT(all.find("psnr")->as_double(), all.find("psnr_bicubic")->as_double());
  EXPECT_GT(all.find("bytes_map")->as_integer(), 0);
  EXPECT_EQ(static_cast<std::int64_t>(contents(folder / "video.srs").size()),
            all.find("bytes_file")->as_integer());

  const Outcome played = stream(folder, {"run", "superres-play", "-i", "video-lr.y4m", "--set",
                                         "params.file=video.srs", "-o", "played.mkv"});
  ASSERT_EQ(played.exit_code, 0) << played.err;
  const Outcome compared = stream(folder, {"run", "compare-videos", "-i", "played.mkv", "--set",
                                           "params.reference=" + hr, "--set", "params.format=rgb"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  // YUV in between, and an encoder that loses something.
  EXPECT_NEAR(last_record(compared.out).find("psnr")->as_double(), all.find("psnr")->as_double(), 2.5);
}

TEST(Superres, AGeneralModelIsTrained) {
  const ScratchFolder folder;
  const Outcome trained = stream(folder, {"run", "train-superres", "--seed", "1", "--set", "params.steps=10",
                                          "--set", "params.seconds=4", "--set", "params.keep=m0.h5"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Outcome shown = stream(folder, {"checkpoint", "show", "m0.h5"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, ::testing::HasSubstr("weight_v"));
}

TEST(Superres, ALiveVideoShowsEveryFrame) {
  const ScratchFolder folder;
  const Outcome shown =
      stream(folder, {"run", "superres-live", "-i", clip(folder), "--set", "params.steps=5", "--set",
                      "params.chunk=90ms", "--set", "params.columns=2", "--set", "params.rows=2"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  std::size_t frames = 0;
  for (std::size_t at = 0; (at = shown.out.find("FRAME\n", at)) != std::string::npos; at += 6 + 64 * 48 * 3)
    ++frames;
  EXPECT_EQ(frames, 6u);
  EXPECT_EQ(contents(folder / "live.srs").substr(0, 8), "STREAMSR");
}

TEST(Superres, TheStudyMeasuresEveryMethodAndShowsFrames) {
  const ScratchFolder folder;
  const Outcome studied = stream(folder, {"reproduce", "stdo", "--quick", "--json", "--report", "report.html",
                                          "--set", "params.steps=80", "--set", "params.frames=16"});
  // So few updates may miss bars; they must be stated.
  EXPECT_LE(studied.exit_code, 1) << studied.err;
  for (const char* what : {"time chunks (NAS)", "modulated body (CaFM)", "random grouping", "J-STDO",
                           "equal bytes", "bicubic", "with a halo", "of models", "x264 of HR"})
    EXPECT_THAT(studied.out, ::testing::HasSubstr(what));
  EXPECT_THAT(contents(folder / "report.html"), ::testing::HasSubstr("data:image/png;base64,"));
}

}  // namespace
}  // namespace stream::testing
