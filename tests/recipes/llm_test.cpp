/// Language models from nothing: trained for a few steps, then used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program/program.hpp"
#include "program/records.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

class LanguageModels : public ::testing::Test {
 protected:
  Program recipe(const std::string& name, const std::vector<std::string>& settings,
                 const std::string& input = "", const std::vector<std::string>& more = {}) const {
    Program program{
        .argv = {STREAM_BINARY_DIR "/bin/stream", "run", STREAM_SOURCE_DIR "/recipes/" + name + ".toml"},
        .input = input,
        .folder = folder_.path(),
        .deadline = std::chrono::minutes(2)};
    for (const std::string& setting : settings) program.argv.insert(program.argv.end(), {"--set", setting});
    program.argv.insert(program.argv.end(), more.begin(), more.end());
    return program;
  }
  ScratchFolder folder_;
};

TEST_F(LanguageModels, PairTextIsLearntTheSameAfterAStopAndInMoreThreads) {
  const std::vector<std::string> few{"params.steps=4", "params.documents=12",        "train.batch=4",
                                     "train.report=1", "train.tokens_per_step=2000", "params.hidden=16"};
  const auto with = [&](const char* model, std::vector<std::string> more) {
    std::vector<std::string> settings = few;
    settings.push_back(std::string("params.model=") + model);
    return run(recipe("train-pair-text", settings, "", more));
  };
  const Outcome whole = with("a.h5", {});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const auto progress = records_of(whole.out);
  ASSERT_EQ(progress.size(), 4u);
  EXPECT_LT(number(progress[3], "loss"), 6.0);
  ASSERT_EQ(with("b.h5", {"--threads", "3"}).exit_code, 0);
  EXPECT_EQ(contents(folder_ / "a.h5"), contents(folder_ / "b.h5"));
  const Outcome other = with("c.h5", {"--seed", "1"});
  EXPECT_NE(contents(folder_ / "a.h5"), contents(folder_ / "c.h5"));
  std::vector<std::string> settings = few;
  settings[1] = "params.documents=3";
  settings.emplace_back("params.model=d.h5");
  const Outcome brief = run(recipe("train-pair-text", settings));
  EXPECT_EQ(brief.exit_code, 65);
  EXPECT_THAT(brief.err, HasSubstr("nothing was written to d.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "d.h5"));
}

TEST_F(LanguageModels, ATextOfOnesOwnBecomesAModelThatChatsAndWatchesALog) {
  std::string log;
  for (int i = 0; i < 3000; ++i) log += "job " + std::to_string(i % 10) + " done\n";
  write_contents(folder_ / "ordinary.log", log);
  const Outcome trained = run(recipe(
      "train-text", {"params.text=ordinary.log", "params.model=log.h5", "params.steps=40", "params.length=32",
                     "params.hidden=24", "params.layers=1", "params.times=4", "train.ffn=32", "train.batch=8",
                     "train.tokens_per_step=2000", "train.warmup=5", "train.learning_rate=0.02"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  // An ordinary line is expected, another one is not.
  const Outcome alarms = run(recipe("log-surprisal", {"params.model=log.h5", "params.threshold=0"},
                                    "job 3 done\njob 4 done\njob 5 done\nPANIC: <0xdeadbeef>\njob 6 done\n"));
  ASSERT_EQ(alarms.exit_code, 0) << alarms.err;
  const auto lines = records_of(alarms.out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_GT(number(lines[3], "mean"), number(lines[2], "mean") + 1);
  EXPECT_GT(number(lines[3], "mean"), number(lines[4], "mean") + 1);
  const double threshold = (number(lines[3], "mean") + number(lines[2], "mean")) / 2;
  const Outcome one =
      run(recipe("log-surprisal", {"params.model=log.h5", "params.threshold=" + std::to_string(threshold)},
                 "job 3 done\njob 4 done\njob 5 done\nPANIC: <0xdeadbeef>\njob 6 done\n"));
  EXPECT_THAT(one.out, HasSubstr("PANIC"));
  EXPECT_EQ(records_of(one.out).size(), 1u);
  // Turns are answered one by one, the same on every run, whatever the number of threads.
  const std::string turns = "job 1 do\njob\n\njob 7\n";
  const Outcome chat = run(recipe("chat", {"params.model=log.h5", "params.max_tokens=12"}, turns));
  ASSERT_EQ(chat.exit_code, 0) << chat.err;
  EXPECT_EQ(std::count(chat.out.begin(), chat.out.end(), '\n'), 4);
  EXPECT_EQ(
      run(recipe("chat", {"params.model=log.h5", "params.max_tokens=12"}, turns, {"--threads", "3"})).out,
      chat.out);
  // What cannot be is named.
  const Outcome missing = run(recipe("chat", {"params.model=none.h5"}, turns));
  EXPECT_EQ(missing.exit_code, 66);
  EXPECT_THAT(missing.err, HasSubstr("none.h5"));
  const Outcome large = run(recipe("chat", {"params.model=log.h5", "model.recent=100"}, turns));
  EXPECT_EQ(large.exit_code, 78);
  EXPECT_THAT(large.err, HasSubstr("larger than the model's context of 32"));
  const Outcome turn = run(recipe("chat", {"params.model=log.h5", "model.long_turns=error"}, turns));
  EXPECT_EQ(turn.exit_code, 65);
  EXPECT_THAT(turn.err, HasSubstr("longer than the 28 that the memory can hold"));
}

}  // namespace
}  // namespace stream::testing
