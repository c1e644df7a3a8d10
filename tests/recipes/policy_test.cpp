/// The recipes around streaming diffusion policy, from nothing: demonstrations are recorded, policies trained
/// (for a few steps) and put to work.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include "program/program.hpp"
#include "stream/value.hpp"

namespace stream::testing {
namespace {

class PolicyRecipes : public ::testing::Test {
 protected:
  /// `stream run` with a recipe of the tree and further arguments, in a folder of the test's own.
  Program program(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {STREAM_BINARY_DIR "/bin/stream", "run"});
    arguments[2] = STREAM_SOURCE_DIR "/recipes/" + arguments[2] + ".toml";
    return {.argv = std::move(arguments),
            .input = input,
            .folder = folder_.path(),
            .deadline = std::chrono::minutes(2)};
  }
  Outcome stream(std::vector<std::string> arguments, const std::string& input = {}) const {
    return run(program(std::move(arguments), input));
  }
  ScratchFolder folder_;
};

TEST_F(PolicyRecipes, DemonstrationsBecomePoliciesThatAct) {
  const Outcome shown =
      stream({"demonstrate", "--set", "params.episodes=8", "--set", "params.path=shown.h5"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(std::count(shown.out.begin(), shown.out.end(), '\n'), 8);
  for (const std::string objective : {"streaming", "diffusion", "cloning"}) {
    const Outcome trained = stream(
        {"train-policy", "--set", "params.episodes=shown.h5", "--set", "params.model=" + objective + ".h5",
         "--set", "params.objective=" + objective, "--set", "params.steps=4", "--set", "train.batch=4"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_THAT(trained.out, ::testing::HasSubstr("\"step\": 4"));
    const std::string sampling = objective == "cloning"     ? "direct"
                                 : objective == "diffusion" ? "full"
                                                            : "streaming";
    const Outcome acted =
        stream({"act", "--set", "params.model=" + objective + ".h5", "--set", "params.sampling=" + sampling},
               "{\"obs\": [0, -0.9, 0, 0, 0.1, 0.8, 0.2, 0, 0]}\n");
    ASSERT_EQ(acted.exit_code, 0) << acted.err;
    std::istringstream lines(acted.out);
    std::string first;
    ASSERT_TRUE(std::getline(lines, first));
    EXPECT_EQ(Value::parse(first).as_object().find("calls")->as_integer(), objective == "cloning"     ? 1
                                                                           : objective == "diffusion" ? 48
                                                                                                      : 12);
    EXPECT_EQ(std::count(acted.out.begin(), acted.out.end(), '\n'), 4);
  }
}

TEST_F(PolicyRecipes, DemonstrationsOfOnesOwnAreTrainedFrom) {
  using ::testing::HasSubstr;
  std::string ticks;
  for (int t = 0; t < 30; ++t) {
    const std::string x = std::to_string(0.1 * (t % 7));
    ticks += "{\"obs\": [" + x + ", 1, 2], \"action\": [" + x + "], \"end\": " + (t % 12 == 11 ? "1" : "0") +
             "}\n";
  }
  const std::vector<std::string> to_file = {"record-demonstrations", "--set", "params.path=own.h5"};
  const Outcome recorded = stream(to_file, ticks);
  ASSERT_EQ(recorded.exit_code, 0) << recorded.err;
  EXPECT_EQ(
      recorded.out,
      "{\"episode\": 0, \"ticks\": 12}\n{\"episode\": 1, \"ticks\": 12}\n{\"episode\": 2, \"ticks\": 6}\n");
  const Outcome trained =
      stream({"train-policy", "--set", "params.episodes=own.h5", "--set", "params.model=own-policy.h5",
              "--set", "params.steps=3", "--set", "train.batch=4"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Outcome acted = stream({"act", "--set", "params.model=own-policy.h5"}, "{\"obs\": [0, 1, 2]}\n");
  EXPECT_EQ(acted.exit_code, 0) << acted.err;

  const auto refused = [&](const std::string& line) {
    std::filesystem::remove(folder_ / "own.h5");
    const Outcome outcome = stream(to_file, ticks + line + "\n");
    EXPECT_EQ(outcome.exit_code, 65) << line;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "own.h5")) << line;
    return outcome.err;
  };
  EXPECT_THAT(refused(R"({"obs": [0, 1], "action": [0]})"),
              HasSubstr("packet 31: 'obs' has 2 numbers, the first had 3"));
  EXPECT_THAT(refused(R"({"obs": [0, 1, 2], "action": []})"), HasSubstr("'action' is empty"));
  EXPECT_THAT(refused(R"({"obs": [0, 1, 1e300], "action": [0]})"),
              HasSubstr("'obs' holds 1e+300, which float32"));
  EXPECT_THAT(refused(R"({"obs": [0, 1, 2]})"), HasSubstr("'action'"));
  EXPECT_THAT(refused(R"({"obs": [0, 1, 2], "action": [0], "end": 7})"), HasSubstr("'end' is 7"));
  EXPECT_EQ(stream(to_file).exit_code, 66);
}

TEST_F(PolicyRecipes, TrainingThatWasStoppedGivesTheSamePolicy) {
  ASSERT_EQ(stream({"demonstrate", "--set", "params.episodes=5", "--set", "params.path=shown.h5"}).exit_code,
            0);
  const auto training = [&](const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"train-policy",          "--set", "params.episodes=shown.h5", "--set",
                                       "params.model=" + model, "--set", "params.steps=60",          "--set",
                                       "train.batch=4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return program(std::move(arguments));
  };
  ASSERT_EQ(run(training("whole.h5")).exit_code, 0);
  const std::vector<std::string> checkpointed = {"--checkpoint", "train.h5", "--every", "50ms", "--resume"};
  Program first = training("stopped.h5", checkpointed);
  first.when_fed = [&](int pid) {
    for (int i = 0; i < 3000 && !std::filesystem::exists(folder_ / "train.h5"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(pid, SIGTERM);
  };
  const Outcome stopped = run(first);
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped.h5")) << "it ended before it could be stopped";
  const Outcome resumed = run(training("stopped.h5", checkpointed));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(contents(folder_ / "whole.h5") == contents(folder_ / "stopped.h5"));
}

TEST_F(PolicyRecipes, WhatIsMissingIsNamed) {
  const Outcome outcome = stream({"train-policy", "--set", "params.episodes=nothing.h5"});
  EXPECT_EQ(outcome.exit_code, 66);
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("nothing.h5"));
}

}  // namespace
}  // namespace stream::testing
