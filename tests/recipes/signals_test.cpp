/// Speech coded while its basis is learnt, and the dictionary that is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program/program.hpp"
#include "stream/value.hpp"

namespace stream::testing {
namespace {

TEST(Signals, SpeechIsCodedWhileItsBasisIsLearnt) {
  const ScratchFolder folder;
  const Outcome outcome = run({.argv = {STREAM_BINARY_DIR "/bin/stream", "run", "compress-speech", "-i",
                                        STREAM_SOURCE_DIR "/share/examples/numbers.flac", "-o", "out.wav"},
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
  const Outcome shown = run({.argv = {STREAM_BINARY_DIR "/bin/stream", "checkpoint", "show", "basis.h5"},
                             .input = "",
                             .folder = folder.path()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, ::testing::HasSubstr("orthogonal-dictionary"));
}

}  // namespace
}  // namespace stream::testing
