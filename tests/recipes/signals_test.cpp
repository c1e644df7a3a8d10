/// Speech coded while its basis is learnt, and the dictionary that is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "program/program.hpp"
#include "stream/random.hpp"
#include "stream/value.hpp"
#include "stream_program.hpp"

namespace stream::testing {
namespace {
constexpr const char* kNumbers = STREAM_SOURCE_DIR "/share/examples/numbers.flac";

TEST(Signals, SpeechIsCodedWhileItsBasisIsLearnt) {
  const ScratchFolder folder;
  const Outcome outcome = run({.argv = {kStream, "run", "compress-speech", "-i", kNumbers, "-o", "out.wav"},
                               .input = "",
                               .folder = folder.path(),
                               .deadline = std::chrono::minutes(2)});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string codes = contents(folder / "codes.jsonl");
  const auto vectors = std::count(codes.begin(), codes.end(), '\n');
  EXPECT_GT(vectors, 1000);
  // 16-bit samples and a header of 44 bytes.
  EXPECT_EQ(contents(folder / "out.wav").size(), 44 + 128 * static_cast<std::size_t>(vectors));
  const std::string last = codes.substr(codes.rfind('\n', codes.size() - 2) + 1);
  EXPECT_LE(Value::parse(last).as_object().find("values")->as_array().size(), 8u);
  const Outcome shown =
      run({.argv = {kStream, "checkpoint", "show", "basis.h5"}, .input = "", .folder = folder.path()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, ::testing::HasSubstr("orthogonal-dictionary"));
}

/// 80 pictures of 96 x 64 with a moving edge and a grating, 4:2:0; with noise of the given deviation.
std::string clip(double noise) {
  constexpr int kWidth = 96, kHeight = 64;
  std::string out = "YUV4MPEG2 W96 H64 F25:1 Ip A1:1 C420jpeg\n";
  Random random(4);
  for (int f = 0; f < 80; ++f) {
    out += "FRAME\n";
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x) {
        const double clean =
            y < 32 ? (x + 2 * y < 60 + 4 * (f % 20) ? 60 : 190) : 128 + 60 * std::sin(0.5 * (x + f));
        out += static_cast<char>(static_cast<int>(std::clamp(clean + noise * random.normal(), 0.0, 255.0)));
      }
    out.append(kWidth * kHeight / 2, '\x80');
  }
  return out;
}

TEST(Signals, VideoIsDenoisedWhileItsBasisIsLearnt) {
  const ScratchFolder folder;
  const std::string clean = clip(0), noisy = clip(12);
  const Outcome outcome = run({.argv = {kStream, "run", "denoise-video", "--set", "params.threshold=0.14"},
                               .input = noisy,
                               .folder = folder.path(),
                               .deadline = std::chrono::minutes(2)});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string header = outcome.out.substr(0, outcome.out.find('\n'));
  EXPECT_THAT(header, ::testing::HasSubstr("W96 H64 F25:1"));
  // Luma of the last pictures, which come last in the file; headers may differ in length.
  const auto error = [&](const std::string& found) {
    constexpr std::size_t kPicture = 96 * 64 * 3 / 2, kLuma = 96 * 64, kFrame = 6;
    double sum = 0;
    for (std::size_t back = 1; back <= 6; ++back) {
      const std::size_t a = clean.size() - back * (kPicture + kFrame) + kFrame,
                        b = found.size() - back * (kPicture + kFrame) + kFrame;
      for (std::size_t i = 0; i < kLuma; ++i) {
        const double d = static_cast<unsigned char>(clean[a + i]) - static_cast<unsigned char>(found[b + i]);
        sum += d * d;
      }
    }
    return sum / (6 * kLuma);
  };
  EXPECT_LT(error(outcome.out), 0.5 * error(noisy)) << "3 dB better";
}

TEST(Signals, CodesPackedAndUnpackedGiveTheSameVectors) {
  const ScratchFolder folder;
  const std::string model = STREAM_SOURCE_DIR "/share/models/sensors-basis.h5";
  write_contents(
      folder / "pack.toml",
      "[nodes.vectors]\nuse = \"signals.sparse_vectors\"\nsize = 8\ncount = 500\n"
      "[nodes.coder]\nuse = \"signals.encode\"\nfrom = \"vectors.out\"\nmodel = \"" +
          model +
          "\"\nterms = 3\n"
          "[nodes.packed]\nuse = \"signals.pack\"\nfrom = \"coder.codes\"\nsize = 8\nvalues = \"float32\"\n"
          "[nodes.file]\nuse = \"bytes.write\"\nfrom = \"packed.bytes\"\npath = \"codes.bin\"\n"
          "[nodes.status]\nuse = \"jsonl.write\"\nfrom = \"packed.status\"\npath = \"-\"\n");
  const auto go = [&](const char* recipe) {
    return run({.argv = {kStream, "run", recipe}, .input = "", .folder = folder.path()});
  };
  const Outcome packed = go("pack.toml");
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  const Value status = Value::parse(packed.out);
  EXPECT_EQ(status.as_object().find("vectors")->as_integer(), 500);
  EXPECT_EQ(status.as_object().find("bytes")->as_integer(),
            static_cast<std::int64_t>(contents(folder / "codes.bin").size()));
  EXPECT_EQ(contents(folder / "codes.bin").size(), 12 + 500 * (1 + 3 * 5u));
  write_contents(folder / "unpack.toml",
                 "[nodes.bytes]\nuse = \"bytes.read\"\npath = \"codes.bin\"\n"
                 "[nodes.codes]\nuse = \"signals.unpack\"\nfrom = \"bytes\"\n"
                 "[nodes.back]\nuse = \"signals.reconstruct\"\nfrom = \"codes\"\nmodel = \"" +
                     model +
                     "\"\n"
                     "[nodes.again]\nuse = \"signals.encode\"\nfrom = \"back\"\nmodel = \"" +
                     model +
                     "\"\nterms = 3\n"
                     "[nodes.packed]\nuse = \"signals.pack\"\nfrom = \"again.codes\"\nsize = 8\n"
                     "[nodes.status]\nuse = \"jsonl.write\"\nfrom = \"packed.status\"\npath = \"-\"\n");
  const Outcome unpacked = go("unpack.toml");
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.err;
  EXPECT_EQ(Value::parse(unpacked.out).as_object().find("vectors")->as_integer(), 500);
}

}  // namespace
}  // namespace stream::testing
