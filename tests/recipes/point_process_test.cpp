/// The recipes around point processes, from nothing: events are made up, a model is trained and put to work.
#include <gmock/gmock.h>

#include "program/program.hpp"
#include "program/records.hpp"
#include "stream_program.hpp"

namespace stream::testing {
namespace {

TEST(PointProcessRecipes, EventsBecomeAModelThatScoresThem) {
  const ScratchFolder folder;
  const auto stream = [&](std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), {kStream, "run"});
    arguments[2] = STREAM_SOURCE_DIR "/recipes/" + arguments[2] + ".toml";
    return run({.argv = std::move(arguments),
                .input = input,
                .folder = folder.path(),
                .deadline = std::chrono::minutes(3)});
  };
  const Outcome log = stream({"regimes-log"});
  ASSERT_EQ(log.exit_code, 0) << log.err;
  write_contents(folder / "events.jsonl", log.out);
  const Outcome trained =
      stream({"train-point-process", "--set", "params.epochs=1", "--set", "train.first_epochs=2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto slices = records_of(trained.out);
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[1].as_object().find("log_likelihood")->as_array().size(), 2u);
  const Outcome scored = stream({"score-events", "--set", "params.model=tpp.h5"},
                                log.out + R"({"seq": "s47", "t": 1e9, "type": 99})" + "\n{\"seq\": 1}\n");
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_THAT(scored.err, ::testing::HasSubstr("refused: 1 clock-jump, 1 id-kind"));
  const auto events = records_of(scored.out);
  ASSERT_EQ(events.size(), 48u * 40u);
  EXPECT_EQ(events[1].as_object().find("intensity")->as_array().size(), 6u);
  EXPECT_GT(number(*events[1].as_object().find("next"), "gap"), 0);
}

TEST(GameRecipes, GamesAreMadeUpWithLabelsApart) {
  const ScratchFolder folder;
  const std::string recipe = STREAM_SOURCE_DIR "/recipes/games-log.toml";
  const Outcome log = run({.argv = {kStream, "run", recipe, "--set", "params.games=2", "--set",
                                    "params.task=next", "--set", "params.steps=80"},
                           .input = "",
                           .folder = folder.path(),
                           .deadline = std::chrono::minutes(1)});
  ASSERT_EQ(log.exit_code, 0) << log.err;
  const auto scenes = records_of(log.out);
  ASSERT_EQ(scenes.size(), 2u * 80u);
  EXPECT_EQ(scenes[0].as_object().find("nodes")->as_array().size(), 11u);
  const auto labels = records_of(contents(folder / "labels.jsonl"));
  ASSERT_GT(labels.size(), 2u);
  EXPECT_TRUE(labels[0].as_object().find("labels")->is_object());
}

TEST(GameRecipes, GamesBecomeAModelThatNamesEventsAndAnswers) {
  const ScratchFolder folder;
  const auto stream = [&](std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), {kStream, "run"});
    arguments[2] = STREAM_SOURCE_DIR "/recipes/" + arguments[2] + ".toml";
    return run({.argv = std::move(arguments),
                .input = input,
                .folder = folder.path(),
                .deadline = std::chrono::minutes(3)});
  };
  const Outcome log = stream({"games-log", "--set", "params.steps=80", "--set", "params.most_gap=12"});
  ASSERT_EQ(log.exit_code, 0) << log.err;
  write_contents(folder / "games.jsonl", log.out);
  const Outcome trained =
      stream({"train-games", "--set", "params.event_steps=3", "--set", "params.steps=3", "--set",
              "train.report=3", "--set", "train.event_batch=2", "--set", "train.validation=0.25"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto progress = records_of(trained.out);
  ASSERT_EQ(progress.size(), 4u);
  EXPECT_GT(number(*progress[3].as_object().find("validation"), "loss"), 0);
  const Outcome served =
      stream({"game-events", "--set", "params.model=timegraphs.h5"},
             log.out + "{\"game\": \"g3\", \"t\": 1e6, \"nodes\": [{\"id\": \"x\"}]}\n{\"t\": 3}\n");
  ASSERT_EQ(served.exit_code, 0) << served.err;
  EXPECT_THAT(served.err, ::testing::HasSubstr("refused: 1 missing"));
  EXPECT_EQ(records_of(served.out).size(), 4u * 4u);
  const auto events = records_of(contents(folder / "events.jsonl"));
  EXPECT_GT(events.size(), 100u);
  EXPECT_LE(number(events[0], "start"), number(events[0], "end"));
  const auto scenes = records_of(contents(folder / "refused-scenes.jsonl"));
  ASSERT_EQ(scenes.size(), 1u);
  EXPECT_EQ(scenes[0].as_object().find("fault")->as_string(), "missing");
}

}  // namespace
}  // namespace stream::testing
