/// The operators: what they say, when, and of which period.
#include <gmock/gmock.h>

#include <cmath>

#include "evaluate/evaluate_auc.hpp"
#include "evaluate/evaluate_average.hpp"
#include "evaluate/evaluate_ranking.hpp"
#include "stream/testing.hpp"

namespace stream::evaluate {
namespace {

std::vector<Packet> packets(const std::vector<std::string>& lines) {
  std::vector<Packet> out;
  for (std::size_t i = 0; i < lines.size(); ++i)
    out.push_back(Packet::of<Record>(std::chrono::seconds(i), Buffer::own(lines[i])));
  return out;
}

template <typename Op>
std::vector<Object> said(const Object& params, const std::vector<std::string>& lines) {
  const auto op = testing::make<Op>(params, {.seed = 1});
  std::vector<Object> out;
  const testing::Collector made = testing::run(*op, packets(lines));
  for (const Packet& packet : made.packets[0]) out.push_back(packet.as<Record>().object());
  return out;
}

double number(const Object& line, const char* name) { return line.find(name)->as_double(); }

TEST(RankingOperator, AveragesListsAndPassesOverThoseWithoutTargets) {
  const auto lines = said<RankingOperator>(
      {{"k", 2}}, {R"({"items": [["a", 0.9, "new"], ["b", 0.5, "rep"]], "targets": ["b"]})",
                   R"({"items": ["a"], "targets": []})", R"({"items": ["x", "y"], "targets": ["x", "z"]})"});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_DOUBLE_EQ(number(lines[0], "ndcg"), 1 / std::log2(3.0));
  EXPECT_DOUBLE_EQ(number(lines[1], "ndcg"), (1 / std::log2(3.0) + 1 / (1 + 1 / std::log2(3.0))) / 2);
  EXPECT_DOUBLE_EQ(number(lines[1], "recall"), 0.75);
  EXPECT_EQ(lines[2].find("events")->as_integer(), 2);
  EXPECT_TRUE(lines[2].find("final")->as_bool());
}

TEST(RankingOperator, RepeatsAndDiscoveriesApart) {
  const auto lines = said<RankingOperator>(
      {{"known", "heard"}}, {R"({"items": ["a", "b", "c"], "targets": ["b", "c"], "heard": ["a", "b"]})"});
  EXPECT_DOUBLE_EQ(number(lines[0], "ndcg_repeat"), 1 / std::log2(3.0));
  EXPECT_DOUBLE_EQ(number(lines[0], "ndcg_explore"), 0.5);
  const auto none =
      said<RankingOperator>({{"known", "heard"}}, {R"({"items": ["a"], "targets": ["a"], "heard": ["a"]})"});
  EXPECT_TRUE(none[0].find("ndcg_explore")->is_null());
}

TEST(RankingOperator, NumbersAreOtherIdsThanTheirDigits) {
  const auto lines = said<RankingOperator>({}, {R"({"items": [1], "targets": ["1"]})"});
  EXPECT_EQ(number(lines[0], "recall"), 0);
}

TEST(RankingOperator, WhatIsWrongIsNamed) {
  const auto op = testing::make<RankingOperator>();
  testing::Collector out;
  for (const char* line : {R"({"items": ["a"]})", R"({"items": "a", "targets": []})",
                           R"({"items": [1.5], "targets": []})", R"({"items": [[]], "targets": []})"}) {
    EXPECT_THROW(op->process(packets({line})[0], out), Error) << line;
  }
  testing::Collector end;
  op->finish(end);
  EXPECT_EQ(end.packets[0][0].as<Record>().at("events").as_integer(), 0);
}

TEST(AucOperator, OfAllEventsOfThePeriod) {
  const auto lines =
      said<AucOperator>({}, {R"({"score": 0.1, "label": 0})", R"({"score": 0.4, "label": false})",
                             R"({"score": 0.35, "label": 1})", R"({"score": 9, "label": null})",
                             R"({"score": 0.8, "label": true})"});
  EXPECT_TRUE(lines[0].find("auc")->is_null());
  EXPECT_DOUBLE_EQ(number(lines.back(), "auc"), 0.75);
  EXPECT_EQ(lines.back().find("positives")->as_integer(), 2);
  const auto op = testing::make<AucOperator>();
  testing::Collector out;
  EXPECT_THROW(op->process(packets({R"({"score": 1, "label": 2})"})[0], out), Error);
  EXPECT_THROW(op->process(packets({R"({"score": "x", "label": 1})"})[0], out), Error);
  EXPECT_EQ(op->state_bytes(), 0u);
}

TEST(AverageOperator, Measures) {
  const std::vector<std::string> lines{R"({"p": 1, "y": 1})", R"({"p": 2, "y": 4})", R"({"p": 3, "y": 7})",
                                       R"({"p": 3, "y": null})"};
  const auto last = [&](const char* measure) {
    return said<AverageOperator>({{"measure", measure}, {"member", "p"}, {"target", "y"}}, lines).back();
  };
  EXPECT_DOUBLE_EQ(number(last("rmse"), "rmse"), std::sqrt(20.0 / 3));
  EXPECT_DOUBLE_EQ(number(last("absolute"), "absolute"), 2.0);
  const auto likelihood =
      said<AverageOperator>({{"measure", "log_likelihood"}, {"member", "p"}}, lines).back();
  EXPECT_DOUBLE_EQ(number(likelihood, "log_likelihood"), 9.0 / 4);
  const Array& interval = likelihood.find("log_likelihood_interval")->as_array();
  EXPECT_LE(interval[0].as_double(), 9.0 / 4);
  EXPECT_GE(interval[1].as_double(), 9.0 / 4);
  EXPECT_THROW(testing::make<AverageOperator>({{"measure", "mean"}, {"target", "y"}}), Error);
}

TEST(Periods, AreScoredApart) {
  std::vector<std::string> lines;
  for (int i = 0; i < 10; ++i) lines.push_back("{\"value\": " + std::to_string(i) + "}");
  const auto all =
      said<AverageOperator>({{"measure", "mean"}, {"split", Array{4.0, 8.0}}, {"first", 100}}, lines);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(number(all[0], "mean"), 1.5);
  EXPECT_EQ(number(all[1], "mean"), 5.5);
  EXPECT_EQ(number(all[2], "mean"), 8.5);
  EXPECT_EQ(all[1].find("period")->as_integer(), 1);
  EXPECT_EQ(all[1].find("events")->as_integer(), 4);
  EXPECT_THROW(testing::make<AverageOperator>({{"split", Array{4.0, 4.0}}}), Error);
}

}  // namespace
}  // namespace stream::evaluate
