/// The recipes around captions, from nothing: a model is trained (for a few steps), scored and used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "program/program.hpp"
#include "program/records.hpp"
#include "stream_program.hpp"

namespace stream::testing {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

class Captions : public ::testing::Test {
 protected:
  /// `stream run RECIPE` in the scratch folder.
  Program recipe(const std::string& name, const std::vector<std::string>& settings,
                 const std::vector<std::string>& more = {}) const {
    Program program{.argv = {kStream, "run", STREAM_SOURCE_DIR "/recipes/" + name + ".toml"},
                    .input = "",
                    .folder = folder_.path(),
                    .deadline = std::chrono::minutes(4)};
    for (const std::string& setting : settings) program.argv.insert(program.argv.end(), {"--set", setting});
    program.argv.insert(program.argv.end(), more.begin(), more.end());
    return program;
  }
  /// Three updates from small batches of a small pool: the recipe is the same, the run takes seconds.
  Program training(const std::string& model, const std::vector<std::string>& more = {}) const {
    return recipe(
        "train-captions",
        {"params.model=" + model, "params.steps=3", "params.utterances=20", "train.pool=8", "train.batch=2"},
        more);
  }
  Outcome succeed(const Program& program) const {
    Outcome outcome = run(program);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome;
  }
  ScratchFolder folder_;
};

TEST_F(Captions, AModelIsTrainedScoredAndUsed) {
  const auto progress = records_of(succeed(training("new.h5")).out);
  ASSERT_EQ(progress.size(), 1u);
  EXPECT_EQ(number(progress[0], "step"), 3);
  EXPECT_THAT(number(progress[0], "loss"), AllOf(Ge(0.0), Le(1000.0)));

  const auto scores =
      records_of(succeed(recipe("score-captions", {"params.model=new.h5", "params.utterances=3"})).out);
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_THAT(number(scores[0], "utterances"), AllOf(Ge(0.0), Le(3.0)));
  EXPECT_THAT(number(scores[0], "wer"), Ge(0.0));
  EXPECT_THAT(number(scores[0], "errors"), Ge(0.0));

  // A model of three steps says little, and what it says must be sound.
  const std::string numbers = STREAM_SOURCE_DIR "/share/examples/numbers.flac";
  for (const Value& word :
       records_of(succeed(recipe("captions", {"params.model=new.h5"}, {"-i", numbers})).out)) {
    EXPECT_THAT(number(word, "confidence"), AllOf(Ge(0.0), Le(1.0)));
    EXPECT_LE(number(word, "start"), number(word, "end"));
  }
}

TEST_F(Captions, TheShippedModelKeepsItsPromise) {
  const auto scores = records_of(succeed(recipe("score-captions", {"params.utterances=12"})).out);
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_GT(number(scores[0], "words"), 0);
  EXPECT_LE(number(scores[0], "wer"), 0.15);
  EXPECT_GE(number(scores[0], "auc"), 0.9);
}

/// Another processor may round the last bit of a sample differently, so samples are compared, not bytes.
TEST_F(Captions, TheShippedExampleIsWhatItsRecipeMakes) {
  write_contents(folder_ / "decode.toml",
                 "[nodes.in]\nuse = \"audio.read\"\n\n[nodes.out]\nuse = \"audio.write\"\nfrom = \"in\"\n");
  const auto samples = [&](const std::string& path) {
    const std::string raw =
        succeed({.argv = {kStream, "run", "decode.toml", "-i", path, "--set", "out.format=raw"},
                 .input = "",
                 .folder = folder_.path()})
            .out;
    std::vector<int> out;
    for (std::size_t i = 0; i + 1 < raw.size(); i += 2)
      out.push_back(static_cast<std::int16_t>(static_cast<unsigned char>(raw[i]) |
                                              static_cast<unsigned char>(raw[i + 1]) << 8));
    return out;
  };
  const auto texts =
      records_of(succeed(recipe("speak-numbers", {"params.audio=numbers.flac"}, {"--seed", "1"})).out);
  EXPECT_EQ(texts.size(), 6u);
  const auto made = samples("numbers.flac"),
             shipped = samples(STREAM_SOURCE_DIR "/share/examples/numbers.flac");
  ASSERT_EQ(made.size(), shipped.size());
  for (std::size_t i = 0; i < made.size(); ++i) ASSERT_NEAR(made[i], shipped[i], 2) << "sample " << i;
}

TEST_F(Captions, TrainingGivesTheSameModelWithAnyThreadsAndAfterAStop) {
  succeed(training("one.h5", {"--threads", "1"}));
  succeed(training("many.h5", {"--threads", "8"}));
  const std::vector<std::string> checkpointed = {"--checkpoint", "run.h5", "--every", "50ms", "--resume"};
  Program first = training("stopped.h5", checkpointed);
  first.when_fed = [&](int pid) {
    for (int i = 0; i < 3000 && !std::filesystem::exists(folder_ / "run.h5"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(pid, SIGTERM);
  };
  const Outcome stopped = run(first);
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped.h5")) << "it ended before it could be stopped";
  succeed(training("stopped.h5", checkpointed));
  const std::string expected = contents(folder_ / "one.h5");
  EXPECT_TRUE(contents(folder_ / "many.h5") == expected);
  EXPECT_TRUE(contents(folder_ / "stopped.h5") == expected);
}

}  // namespace
}  // namespace stream::testing
