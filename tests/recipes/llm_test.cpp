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
  const auto with = [&](const char* model, const std::vector<std::string>& more) {
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
  // A text that is too short leaves what was learnt, and says so; one without a single update is an error.
  settings[1] = "params.documents=3";
  settings.emplace_back("params.model=short.h5");
  const Outcome cut = run(recipe("train-pair-text", settings));
  EXPECT_EQ(cut.exit_code, 0) << cut.err;
  EXPECT_THAT(cut.err, HasSubstr("short.h5 holds what was learnt until then"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "short.h5"));
  settings[1] = "params.documents=1";
  settings.back() = "params.model=d.h5";
  const Outcome brief = run(recipe("train-pair-text", settings));
  EXPECT_EQ(brief.exit_code, 65);
  EXPECT_THAT(brief.err, HasSubstr("nothing was written to d.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "d.h5"));
}

TEST_F(LanguageModels, ThrowsAreLearnt) {
  const Outcome outcome =
      run(recipe("train-throws", {"params.model=throws.h5", "params.steps=4", "params.documents=12",
                                  "train.batch=4", "train.report=1", "train.tokens_per_step=2000"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const auto progress = records_of(outcome.out);
  ASSERT_EQ(progress.size(), 4u);
  EXPECT_LT(number(progress[3], "loss"), 2.5);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "throws.h5"));
}

TEST_F(LanguageModels, ATextOfOnesOwnBecomesAModelThatChatsAndWatchesALog) {
  std::string log;
  for (int i = 0; i < 3000; ++i) log += "job " + std::to_string(i % 10) + " done\n";
  write_contents(folder_ / "ordinary.log", log);
  const Outcome trained =
      run(recipe("train-text", {"params.text=ordinary.log", "params.model=log.h5", "params.steps=40",
                                "params.length=32", "params.hidden=24", "params.layers=1",
                                "text.bytes_per_step=2000", "train.ffn=32", "train.batch=8",
                                "train.tokens_per_step=2000", "train.warmup=5", "train.learning_rate=0.02"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(trained.err, "");
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

TEST_F(LanguageModels, NeedlesAreFoundByLookUpAndNotByARollingWindow) {
  const auto right = [&](const std::vector<std::string>& settings) {
    const Outcome outcome = run(recipe("needle-in-a-haystack", settings));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto answers = records_of(outcome.out);
    EXPECT_EQ(answers.size(), 8u);
    int count = 0;
    for (const auto& answer : answers) {
      count += answer.as_object().find("right")->as_bool();
      EXPECT_GT(number(answer, "distance"), 399);
      EXPECT_EQ(answer.as_object().find("scores")->as_array().size(), 24u);
    }
    return count;
  };
  EXPECT_GE(right({"params.length=2000"}), 6);
  EXPECT_LE(right({"params.length=2000", "params.memory=sink"}), 3);
}

TEST_F(LanguageModels, HeadsOfAModelOfOnesOwnAreIdentifiedAndUsed) {
  std::string book;
  for (int i = 0; i < 400; ++i) book += "Line " + std::to_string(i * i) + " of a book.\n";
  write_contents(folder_ / "book.txt", book);
  const Outcome trained =
      run(recipe("train-text", {"params.text=book.txt", "params.model=book.h5", "params.steps=2",
                                "params.length=512", "params.hidden=24", "params.layers=2", "train.ffn=32",
                                "train.batch=1", "text.bytes_first=9000"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Outcome found = run(recipe(
      "identify-heads", {"params.model=book.h5", "params.text=book.txt", "params.steps=3",
                         "params.passkeys=2", "params.words=2", "params.shortest=400", "params.sinks=2",
                         "params.recent=16", "params.times=2", "identify.report=1"}));
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(records_of(found.out).size(), 3u);
  const std::string table = contents(folder_ / "heads" / "full_attention_heads.tsv");
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\t'), 4);
  EXPECT_THAT(contents(folder_ / "heads" / "config.json"), HasSubstr("\"recent_size\": 16"));
  // The folder's sizes are used: 2 + 16 tokens of a streaming head.
  const Outcome chat = run(
      recipe("chat", {"params.model=book.h5", "params.memory=duo", "model.heads=heads", "model.sparsity=1"},
             "Line\n"));
  EXPECT_EQ(chat.exit_code, 0) << chat.err;
  const Outcome missing =
      run(recipe("chat", {"params.model=book.h5", "params.memory=duo", "model.heads=tails"}, "Line\n"));
  EXPECT_EQ(missing.exit_code, 66);
  EXPECT_THAT(missing.err, HasSubstr("tails"));
}

}  // namespace
}  // namespace stream::testing
