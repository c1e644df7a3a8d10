/// Every recipe in recipes/ and share/: valid, and passing the tests that it carries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "program/program.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> all_recipes() {
  std::vector<std::string> found;
  const fs::path folder = STREAM_SOURCE_DIR "/recipes";
  if (!fs::exists(folder)) return found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") found.push_back(fs::relative(entry.path(), folder).string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Outcome stream(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), STREAM_BINARY_DIR "/bin/stream");
  return run({.argv = std::move(arguments), .input = "", .deadline = std::chrono::minutes(4)});
}

class RecipeTest : public ::testing::TestWithParam<std::string> {
 protected:
  static std::string file() { return STREAM_SOURCE_DIR "/recipes/" + GetParam(); }
};

TEST_P(RecipeTest, IsValid) {
  const Outcome outcome = stream({"validate", file()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_P(RecipeTest, SaysWhatItDoes) {
  const std::string text = contents(file());
  EXPECT_THAT(text, ::testing::HasSubstr("title")) << "`stream list recipes` shows the title";
  EXPECT_THAT(text, ::testing::HasSubstr("about"));
}

/// Recipes that need more than an input and an expected output: captions_test.cpp, ads_test.cpp,
/// llm_test.cpp, point_process_test.cpp, policy_test.cpp, products_test.cpp, recommenders_test.cpp,
/// rl_test.cpp and signals_test.cpp run them.
constexpr const char* kRunElsewhere[] = {"speak-numbers.toml",
                                         "train-captions.toml",
                                         "score-captions.toml",
                                         "ads.toml",
                                         "ad-clicks.toml",
                                         "replay-ads.toml",
                                         "rl-control.toml",
                                         "rl-cartpole.toml",
                                         "rl-minatar.toml",
                                         "compress-speech.toml",
                                         "denoise-video.toml",
                                         "demonstrate.toml",
                                         "record-demonstrations.toml",
                                         "train-policy.toml",
                                         "act.toml",
                                         "train-pair-text.toml",
                                         "train-throws.toml",
                                         "train-text.toml",
                                         "chat.toml",
                                         "log-surprisal.toml",
                                         "needle-in-a-haystack.toml",
                                         "identify-heads.toml",
                                         "listening-log.toml",
                                         "regimes-log.toml",
                                         "train-point-process.toml",
                                         "score-events.toml",
                                         "games-log.toml",
                                         "train-games.toml",
                                         "game-events.toml",
                                         "train-recommender.toml",
                                         "recommend.toml",
                                         "tickets-log.toml",
                                         "train-audience.toml",
                                         "forecast-audience.toml",
                                         "product-pages.toml",
                                         "product-show.toml",
                                         "train-products.toml",
                                         "index-products.toml",
                                         "find-products.toml",
                                         "playlists-log.toml",
                                         "train-attributes.toml",
                                         "report-attributes.toml",
                                         "listener-attributes.toml",
                                         "compare-videos.toml",
                                         "superres-live.toml",
                                         "superres-train.toml",
                                         "train-superres.toml"};

TEST_P(RecipeTest, IsRun) {
  if (contents(file()).find("[[test]]") != std::string::npos) {
    const Outcome outcome = stream({"test", file()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  } else if (GetParam().starts_with("studies/")) {
    // It may miss a bar on time on a machine that does much else; the tests of its operator hold the others.
    const Outcome outcome = stream({"reproduce", fs::path(GetParam()).stem().string(), "--quick", "--json"});
    EXPECT_THAT(outcome.exit_code, ::testing::AnyOf(0, 1)) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, ::testing::HasSubstr("\"held\": true"));
  } else {
    EXPECT_THAT(kRunElsewhere, ::testing::Contains(GetParam()))
        << "give it a [[test]] table, or run it in a test of its own and name it here";
  }
}

TEST(Recipes, ThereAreSome) { EXPECT_FALSE(all_recipes().empty()); }

INSTANTIATE_TEST_SUITE_P(Tree, RecipeTest, ::testing::ValuesIn(all_recipes()),
                         [](const ::testing::TestParamInfo<std::string>& info) {
                           std::string name = fs::path(info.param).replace_extension().string();
                           std::replace_if(
                               name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace stream::testing
