/// The recipes of the ad shop: arms, a chooser and a world, each a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program/program.hpp"
#include "stream/value.hpp"
#include "stream_program.hpp"

namespace stream::testing {
namespace {

Outcome stream(std::vector<std::string> arguments, std::string input = {}) {
  arguments.insert(arguments.begin(), kStream);
  return run({.argv = std::move(arguments), .input = std::move(input), .deadline = std::chrono::minutes(2)});
}

Object last_line(const std::string& out) {
  const std::size_t end = out.rfind('\n', out.size() - 2);
  return Value::parse(std::string_view(out).substr(end + 1)).as_object();
}

TEST(Ads, AreChosenFromWithASecondProcessForAWorld) {
  const Outcome ads = stream({"run", "ads", "--set", "params.count=200"});
  ASSERT_EQ(ads.exit_code, 0) << ads.err;
  EXPECT_EQ(std::count(ads.out.begin(), ads.out.end(), '\n'), 200);
  const Outcome best =
      stream({"run", "best-ad", "--set", "params.arms=200", "--set", "params.trials=100000000", "--set",
              "params.world=command", "--set", "params.command=" + kStream + " run ad-clicks"},
             ads.out);
  ASSERT_EQ(best.exit_code, 0) << best.err;
  const Object commit = last_line(best.out);
  ASSERT_NE(commit.find("commit"), nullptr) << best.out;
  EXPECT_EQ(*commit.find("arms"), Value(200));
  EXPECT_EQ(*commit.find("held_at_most"), Value(1));
  // Nothing would have cost 0.5 for each trial on the average.
  EXPECT_LT(commit.find("regret")->as_double(), 0.1 * 1e8);
}

TEST(Ads, AreReplayedFromALog) {
  std::string log;
  for (int i = 0; i < 4000; ++i)
    log += R"({"arm": "ad-)" + std::to_string(i % 4) + R"(", "reward": )" + (i % 4 == 3 ? "1" : "0") + "}\n";
  const Outcome replay = stream({"run", "replay-ads", "--set", "params.trials=2000"}, log);
  ASSERT_EQ(replay.exit_code, 0) << replay.err;
  EXPECT_EQ(*last_line(replay.out).find("commit"), Value("ad-3"));
  const Outcome exhausted = stream({"run", "replay-ads", "--set", "params.trials=2000000000"}, log);
  EXPECT_EQ(exhausted.exit_code, 65);
  EXPECT_THAT(exhausted.err, ::testing::HasSubstr("the log is exhausted"));
}

/// A line cut short ends the run with its number; a bad event is skipped where the recipe says so.
TEST(Ads, BadLinesAreNamed) {
  const std::vector<std::string> command{"run", "best-ad", "--set", "params.world=simulated"};
  const Outcome cut = stream(command, R"({"arm": "a", "mean": 0.5})"
                                      "\n"
                                      R"({"arm": "b", "me)");
  EXPECT_EQ(cut.exit_code, 65);
  EXPECT_THAT(cut.err, ::testing::HasSubstr("line 2"));
  const std::string events = R"({"arm": "a", "mean": 0.5})"
                             "\n"
                             R"({"arm": "b", "mean": 7})"
                             "\n"
                             R"({"arm": "c", "mean": 0.1})"
                             "\n";
  const Outcome stopped = stream(command, events);
  EXPECT_EQ(stopped.exit_code, 65);
  EXPECT_THAT(stopped.err, ::testing::HasSubstr("packet 2: reward 7.0 is outside of the declared bounds"));
  std::vector<std::string> skipping = command;
  skipping.insert(skipping.end(), {"--set", "choice.on_error=skip"});
  const Outcome skipped = stream(skipping, events);
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_THAT(skipped.out, ::testing::HasSubstr(R"("arms": 2)"));
}

}  // namespace
}  // namespace stream::testing
