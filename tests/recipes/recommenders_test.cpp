/// The recipes around recommenders, from nothing: listeners are made up, a model is trained and put to work.
#include <gmock/gmock.h>

#include "program/program.hpp"
#include "program/records.hpp"

namespace stream::testing {
namespace {

class RecommenderRecipes : public ::testing::Test {
 protected:
  Outcome stream(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {STREAM_BINARY_DIR "/bin/stream", "run"});
    arguments[2] = STREAM_SOURCE_DIR "/recipes/" + arguments[2] + ".toml";
    return run({.argv = std::move(arguments),
                .input = input,
                .folder = folder_.path(),
                .deadline = std::chrono::minutes(3)});
  }
  ScratchFolder folder_;
};

TEST_F(RecommenderRecipes, ListenersBecomeAModelThatRecommends) {
  const Outcome log = stream({"listening-log"});
  ASSERT_EQ(log.exit_code, 0) << log.err;
  write_contents(folder_ / "listening.jsonl", log.out + "{\"user\": 7}\n");
  const Outcome trained =
      stream({"train-recommender", "--set", "params.features=8", "--set", "params.epochs=2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, ::testing::HasSubstr("refused: 1 id-kind"));
  const auto lines = records_of(trained.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_GT(number(lines[2].as_object().find("test")->as_object(), "ndcg"), 0);
  const Outcome lists = stream({"recommend", "--set", "params.model=pisa.h5"},
                               log.out + R"({"user": "u0", "item": "t1"})" + "\n");
  ASSERT_EQ(lists.exit_code, 0) << lists.err;
  EXPECT_THAT(lists.err, ::testing::HasSubstr("1 missing"));
  const auto listed = records_of(lists.out);
  EXPECT_EQ(listed.size(), 8u * 31u) << "one for each session, and one for what comes after the last";
  EXPECT_EQ(listed.back().as_object().find("items")->as_array().size(), 10u);
  EXPECT_FALSE(listed.back().as_object().find("why")->as_array().empty());
}

TEST_F(RecommenderRecipes, TicketsBecomeAModelThatForetellsAudiences) {
  const Outcome tickets = stream({"tickets-log"});
  ASSERT_EQ(tickets.exit_code, 0) << tickets.err;
  write_contents(folder_ / "tickets.jsonl", tickets.out + "{\"cust\": 7, \"film\": \"f1\", \"ts\": 2e9}\n" +
                                                "{\"cust\": \"c1\", \"film\": \"f1\", \"ts\": -3}\n");
  const Outcome trained =
      stream({"train-audience", "--set", "params.features=8", "--set", "params.epochs=2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, ::testing::HasSubstr("refused: 1 id-kind, 1 negative-time"));
  const auto lines = records_of(trained.out);
  ASSERT_EQ(lines.size(), 3u);
  const Value& test = *lines[2].as_object().find("test");
  EXPECT_GT(number(test, "auc"), 0.5);
  EXPECT_GT(number(*test.as_object().find("raw_text"), "auc"), 0.5);
  const Outcome forecasts = stream({"forecast-audience", "--set", "params.model=cml.h5"}, tickets.out);
  ASSERT_EQ(forecasts.exit_code, 0) << forecasts.err;
  const auto films = records_of(forecasts.out);
  ASSERT_EQ(films.size(), 120u);
  EXPECT_EQ(films[100].as_object().find("customers")->as_array().size(), 20u);
  EXPECT_EQ(films[100].as_object().find("near")->as_array().size(), 5u);
  EXPECT_GT(number(films[100], "expected"), 0);
  // The shipped model does the same for films that it has never heard of.
  const Outcome shipped = stream({"forecast-audience"}, tickets.out);
  ASSERT_EQ(shipped.exit_code, 0) << shipped.err;
  EXPECT_EQ(records_of(shipped.out).size(), 120u);
}

TEST_F(RecommenderRecipes, PlaylistsBecomeAModelThatSaysWhatTheyGiveAway) {
  const Outcome log = stream({"playlists-log"});
  ASSERT_EQ(log.exit_code, 0) << log.err;
  write_contents(
      folder_ / "playlists.jsonl",
      log.out + R"({"user": "u0", "playlist": "p", "ts": 2000000000, "event": "playlist_remove"})" + "\n");
  const Outcome trained = stream({"train-attributes", "--set", "params.epochs=2"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, ::testing::HasSubstr("refused: 1 clock-jump"));
  const auto lines = records_of(trained.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2].as_object().find("test")->as_object().size(), 8u);
  const Outcome report = stream({"report-attributes", "--set", "params.permutations=50"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  EXPECT_GE(records_of(report.out).size(), 8u);
  for (const char* model : {"attributes.h5", "models/playlist-attributes.h5"}) {
    const Outcome said =
        stream({"listener-attributes", "--set", std::string("params.model=") + model}, log.out);
    ASSERT_EQ(said.exit_code, 0) << said.err;
    const auto events = records_of(said.out);
    EXPECT_EQ(events.size(), records_of(log.out).size());
    EXPECT_EQ(events.back().as_object().find("attributes")->as_object().size(), 8u);
  }
}

TEST_F(RecommenderRecipes, WhatIsMissingIsNamed) {
  const Outcome outcome = stream({"train-recommender", "--set", "params.log=nothing.jsonl"});
  EXPECT_EQ(outcome.exit_code, 66);
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("nothing.jsonl"));
  write_contents(folder_ / "short.jsonl", "{\"user\": \"u\", \"item\": \"a\", \"ts\": 1}\n");
  const Outcome few = stream({"train-recommender", "--set", "params.log=short.jsonl"});
  EXPECT_EQ(few.exit_code, 65);
  EXPECT_THAT(few.err, ::testing::HasSubstr("no user has the 17 sessions"));
}

}  // namespace
}  // namespace stream::testing
