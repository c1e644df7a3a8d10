/// The recipes around stream-x that a [[test]] table cannot hold: a world in a process of its own, and an
/// environment inside the graph.
#include <gmock/gmock.h>

#include "program/program.hpp"
#include "program/records.hpp"

namespace stream::testing {
namespace {

class ReinforcementLearning : public ::testing::Test {
 protected:
  static std::string recipe(const std::string& name) {
    return STREAM_SOURCE_DIR "/recipes/" + name + ".toml";
  }
  Outcome stream(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {kProgram, "run"});
    return run({.argv = std::move(arguments), .input = input, .deadline = std::chrono::minutes(2)});
  }
  static constexpr const char* kProgram = STREAM_BINARY_DIR "/bin/stream";
};

TEST_F(ReinforcementLearning, AWorldInAnotherProcessIsControlled) {
  const std::string world = std::string(kProgram) + " run " + recipe("rl-world");
  const Outcome outcome = stream({recipe("rl-control"), "--set", "params.world=" + world});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const auto episodes = records_of(outcome.out);
  ASSERT_GT(episodes.size(), 30u);
  // From 10 to 30 steps an episode at first to some hundred: the pole stays up.
  double last = 0;
  for (std::size_t i = episodes.size() - 10; i < episodes.size(); ++i)
    last += 0.1 * number(episodes[i], "return");
  EXPECT_GT(last, 2 * number(episodes[0], "return"));
}

TEST_F(ReinforcementLearning, CartPoleIsLearntInsideTheGraph) {
  const Outcome outcome = stream({recipe("rl-cartpole"), "--set", "params.steps=60000"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto scores = records_of(outcome.out);
  ASSERT_GT(scores.size(), 4u);
  EXPECT_GT(number(scores.back(), "recent"), 100);
  EXPECT_TRUE(scores.back().as_object().find("final")->as_bool());
}

TEST_F(ReinforcementLearning, EveryGameIsPlayedByEveryLearner) {
  const std::vector<std::string> begin = {recipe("rl-minatar"),   "--set", "params.steps=6000", "--set",
                                          "params.exploring=500", "--set", "agent.hidden=[8]"};
  for (const std::string game : {"breakout", "asterix", "freeway", "seaquest", "space-invaders"}) {
    for (const std::string learner : {"q", "sarsa", "ac"}) {
      auto arguments = begin;
      arguments.insert(arguments.end(),
                       {"--set", "params.game=" + game, "--set", "params.learner=" + learner});
      const Outcome outcome = stream(arguments);
      ASSERT_EQ(outcome.exit_code, 0) << game << " " << learner << ": " << outcome.err;
      const auto scores = records_of(outcome.out);
      ASSERT_FALSE(scores.empty()) << game;
      EXPECT_GE(number(scores.back(), "mean"), 0) << game;
      EXPECT_GE(number(scores.back(), "events"), 2) << game;
    }
  }
}

TEST_F(ReinforcementLearning, AWorldThatFailsEndsTheRunWithTheNumberOfTheStep) {
  const auto failing = [&](const std::string& world) {
    const Outcome outcome =
        stream({recipe("rl-control"), "--set", "params.world=" + world, "--set", "params.timeout=500ms"});
    EXPECT_NE(outcome.exit_code, 0) << world;
    return outcome.err;
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(failing("echo '{\"x\": [1, 2]}'; sleep 30"), HasSubstr("step 1: the world"));
  EXPECT_THAT(failing("echo '{\"x\": [1, 2]}'; sleep 30"), HasSubstr("has not answered for 500ms"));
  EXPECT_THAT(failing("echo '{\"x\": [1, 2]}'; exit 3"), HasSubstr("ended with exit code 3"));
  EXPECT_THAT(failing("true"), HasSubstr("without an observation"));
  EXPECT_THAT(failing("printf '{\"x\": [1]}\\n{\"x\": [1, 2], \"r\": 1}\\n'; cat > /dev/null"),
              HasSubstr("step 1: the observation has 2 numbers, expected 1"));
  EXPECT_THAT(failing("printf '{\"x\": [1]}\\n{\"x\": [1], \"r\": null}\\n'; cat > /dev/null"),
              HasSubstr("'r' is null"));
}

TEST_F(ReinforcementLearning, AnUnknownEnvironmentIsNamedWithTheNearest) {
  const Outcome outcome = stream({recipe("rl-cartpole"), "--set", "params.environment=cartpol"});
  EXPECT_EQ(outcome.exit_code, 78);
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("'cartpole'"));
}

TEST_F(ReinforcementLearning, EventsThatCannotBeArePassedOverAndChangeNothing) {
  const std::string good[] = {R"({"x": [0.1, 0.2], "r": 0})", R"({"x": [0.3, 0.1], "r": 1})",
                              R"({"x": [0.2, 0.4], "r": -1})"};
  const std::string bad[] = {R"({"x": [0.1], "r": 0})",
                             R"({"x": [0.1, 0.2], "r": null})",
                             R"({"x": [0.1, 0.2], "r": 1e300})",
                             R"({"x": [0.1, "b"], "r": 1})",
                             R"({"x": [0.1, 0.2], "r": 1, "a": 7})",
                             R"({"x": [0.1, 0.2], "r": 1, "end": 3})"};
  std::string clean, dirty;
  for (int round = 0; round < 5; ++round) {
    for (const std::string& line : good) clean += line + "\n", dirty += line + "\n";
    for (const std::string& line : bad) dirty += line + "\n";
  }
  const ScratchFolder folder;
  write_contents(folder / "skip.toml",
                 "[nodes.world]\nuse = \"jsonl.read\"\n[nodes.agent]\nuse = \"rl.control\"\nfrom = "
                 "\"world\"\non_error = \"skip\"\n[nodes.out]\nuse = \"jsonl.write\"\nfrom = \"agent\"\n");
  const Outcome expected = stream({(folder / "skip.toml").string()}, clean),
                found = stream({(folder / "skip.toml").string()}, dirty),
                stopped = stream({recipe("rl-answer")}, dirty);
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(found.out, expected.out);
  EXPECT_EQ(records_of(expected.out).size(), 15u);
  EXPECT_EQ(stopped.exit_code, 65);
  EXPECT_THAT(stopped.err, ::testing::HasSubstr("packet 4: "));
}

TEST_F(ReinforcementLearning, RowsOfATableArePredictedAsTheirNumbersAre) {
  std::string table = "date,a,b\n", lines;
  for (int t = 0; t < 20; ++t) {
    const std::string a = std::to_string(0.1 * (t % 7)), b = std::to_string(1.5 * (t % 3));
    table += "day " + std::to_string(t) + "," + a + "," + b + "\n";
    lines += "{\"x\": [" + b + ", " + a + "], \"c\": " + a + "}\n";
  }
  const std::vector<std::string> rows = {recipe("rl-predict-table"), "--set", "params.columns=b,a", "--set",
                                         "params.predict=a",         "--set", "params.trace=0"};
  const Outcome found = stream(rows, table), expected = stream({recipe("rl-predict")}, lines);
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(found.out, expected.out);
  const Outcome wrong = stream(rows, "date,a,b\nday 1,1,2\nday 2,,2\n");
  EXPECT_EQ(wrong.exit_code, 65);
  EXPECT_THAT(wrong.err, ::testing::HasSubstr("'a'"));
}

TEST_F(ReinforcementLearning, AWorldRefusesWhatIsNoActionAndStaysAsItWas) {
  const std::string begin = "{\"a\": null}\n", go = "{\"a\": 1}\n";
  const Outcome clean = stream({recipe("rl-world")}, begin + go + go);
  for (const auto& [line, why] :
       {std::pair{"{\"action\": 0}", "has no member 'a'"},
        std::pair{"{\"a\": 7}", "action 7 where a whole number from 0 to 1"},
        std::pair{"{\"a\": 0.5}", "action 0.5 where"}, std::pair{"{\"a\": [0, 1]}", "an action of 2 numbers"},
        std::pair{"{\"a\": \"left\"}", "'a' is \"left\""}}) {
    const std::string dirty = begin + go + line + "\n" + go;
    const Outcome stopped = stream({recipe("rl-world")}, dirty),
                  skipped = stream({recipe("rl-world"), "--on-error", "skip"}, dirty);
    EXPECT_EQ(stopped.exit_code, 65) << line;
    EXPECT_THAT(stopped.err, ::testing::HasSubstr("packet 3: ")) << line;
    EXPECT_THAT(stopped.err, ::testing::HasSubstr(why)) << line;
    EXPECT_EQ(skipped.out, clean.out) << line;
  }
}

TEST_F(ReinforcementLearning, OnErrorSkipReachesLinesRecordsAndWorlds) {
  using ::testing::HasSubstr;
  const std::string first = R"({"x": [1, 2], "c": 1})"
                            "\n",
                    last = R"({"x": [1, 2], "c": 0})"
                           "\n";
  const std::string lines = first +
                            R"({"x": [1, 2], "c": NaN})"
                            "\n" +
                            R"({"x": [1, 2], "c": null})"
                            "\n" +
                            R"({"x": [1], "c": 0})"
                            "\n" +
                            last;
  const Outcome stopped = stream({recipe("rl-predict")}, lines);
  EXPECT_EQ(stopped.exit_code, 65);
  EXPECT_THAT(stopped.err, HasSubstr("line 2 (byte 22): column 20: not JSON: NaN is no number in JSON"));
  const Outcome skipped = stream({recipe("rl-predict"), "--on-error", "skip"}, lines);
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr("line 2 (byte 22)"));
  EXPECT_THAT(skipped.err, HasSubstr("packet 2: 'c' is null"));
  EXPECT_THAT(skipped.err, HasSubstr("packet 3: the observation has 1 numbers, expected 2"));
  EXPECT_EQ(skipped.out, stream({recipe("rl-predict")}, first + last).out);

  // A world that answers with Python's NaN, and with the right thing when it is asked again.
  const std::string world =
      R"(read a; echo '{"x": [1]}'; read a; echo '{"x": [1], "r": NaN}'; read a; echo '{"x": [1], "r": 1, "end": 1}')";
  const std::vector<std::string> control = {recipe("rl-control"), "--set", "params.world=" + world};
  const Outcome ended = stream(control);
  EXPECT_EQ(ended.exit_code, 65);
  EXPECT_THAT(ended.err, HasSubstr("step 1: not JSON at byte 16: NaN is no number in JSON"));
  auto tolerant = control;
  tolerant.insert(tolerant.end(), {"--on-error", "skip"});
  const Outcome gone_on = stream(tolerant);
  EXPECT_EQ(gone_on.exit_code, 0) << gone_on.err;
  EXPECT_THAT(gone_on.err, HasSubstr("warning: agent: step 1: not JSON"));
  ASSERT_EQ(records_of(gone_on.out).size(), 1u);
  EXPECT_EQ(number(records_of(gone_on.out)[0], "return"), 1);
}

}  // namespace
}  // namespace stream::testing
