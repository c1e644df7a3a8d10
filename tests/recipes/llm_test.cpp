/// Language models from nothing: trained for a few steps, then used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace stream::testing
