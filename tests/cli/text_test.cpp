/// The pieces of the program that can be wrong without a process to show it.
#include <gmock/gmock.h>

#include <gtest/gtest.h>
#include <set>

#include "compare.hpp"
#include "run_text.hpp"
#include "stream/error.hpp"
#include "study.hpp"
#include "text.hpp"

namespace stream::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Compare, RecordsFieldByFieldWithinTolerance) {
  EXPECT_EQ(first_difference("{\"a\":1.0,\"b\":[1,2]}\n", "{\"b\":[1,2.05],\"a\":1.01}\n", 0.1),
            std::nullopt);
  EXPECT_THAT(*first_difference("{\"a\":1,\"b\":{\"c\":2}}\n", "{\"a\":1,\"b\":{\"c\":3}}\n", 0.1),
              HasSubstr("line 1: b.c: expected 2, found 3"));
  EXPECT_THAT(*first_difference("{\"a\":1}\n", "{\"a\":1,\"b\":2}\n", 0),
              HasSubstr("b: expected nothing, found 2"));
  EXPECT_THAT(*first_difference("{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n", 0), HasSubstr("line 2:"));
  EXPECT_NE(first_difference("{\"a\":1}\n", "{\"a\":null}\n", 1e9), std::nullopt)
      << "NaN is written as null and is no number";
}

TEST(Compare, TextIsExact) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n", 1), std::nullopt);
  EXPECT_THAT(*first_difference("a\nb\n", "a\nB\n", 1), HasSubstr("line 2"));
  EXPECT_THAT(*first_difference("a\n", "a", 1), HasSubstr("line terminator"));
  EXPECT_NE(first_difference("", "a", 1), std::nullopt);
}

TEST(RunText, ProgressLineFitsItsTerminalAndKeepsTheNewestWords) {
  RunMetrics metrics;
  metrics.wall_seconds = 1, metrics.stream_seconds = 10, metrics.realtime_meaningful = true;
  NodeMetrics node;
  node.progress = "a very long line of words that ends with the newest\n ones";
  metrics.nodes.push_back(node);
  for (const std::size_t width : {20u, 40u, 60u, 200u})
    EXPECT_LT(width_of(progress_line(metrics, width)), width);
  const std::string line = progress_line(metrics, 60);
  EXPECT_THAT(line, HasSubstr("rtf 0.1"));
  EXPECT_THAT(line, HasSubstr("ones"));
  EXPECT_THAT(line, ::testing::Not(HasSubstr("\n")));
}

TEST(Study, ClaimsAndFaults) {
  StudyResult result;
  result.study = "s";
  read_study_records(
      "{\"series\":\"loss\",\"x\":1,\"y\":2,\"low\":1,\"high\":4}\n{\"plot\":\"by "
      "minute\",\"series\":\"time\",\"x\":1,\"y\":2}\n{\"claim\":\"c\",\"paper\":1,\"baseline\":2,"
      "\"measured\":3,"
      "\"bar\":4,\"held\":true}\n",
      result);
  EXPECT_TRUE(result.held());
  ASSERT_EQ(result.plots.size(), 2u);
  EXPECT_EQ(result.plots[0].title, "series") << "in the order in which they come";
  ASSERT_EQ(result.plots[0].series.size(), 1u);
  EXPECT_EQ(result.plots[0].series[0].name, "loss");
  ASSERT_EQ(result.plots[0].series[0].points.size(), 1u);
  EXPECT_EQ(result.plots[0].series[0].points[0].low, 1);
  EXPECT_EQ(result.plots[0].series[0].points[0].high, 4);
  EXPECT_EQ(result.plots[1].title, "by minute");
  EXPECT_EQ(result.plots[1].series.at(0).points.at(0).high, 2) << "a point alone has no spread";
  StudyResult empty;
  EXPECT_FALSE(empty.held());
  EXPECT_THROW(read_study_records("", empty), Error);
  EXPECT_THROW(read_study_records("{\"claim\":\"c\"}\n", empty), Error);
  EXPECT_THAT(study_report({result}), AllOf(HasSubstr("loss"), HasSubstr("by minute")));
}

TEST(Study, PlotsHaveRoundAxesAndShowWhatHasOnePointOnly) {
  const std::string lines = line_plot("p", "", {{"a", {{0, 3}, {1, 500}}}, {"b", {{1, 120}}}});
  for (const char* tick : {">0<", ">200<", ">400<", ">600<"}) EXPECT_THAT(lines, HasSubstr(tick));
  EXPECT_THAT(lines, HasSubstr("stroke-linecap=\"round\""));
  EXPECT_THAT(line_plot("p", "", {{"a", {{0, 3}, {1, 500}}}}), ::testing::Not(HasSubstr("linecap")));
  // Far from 0 it does not begin there.
  EXPECT_THAT(line_plot("p", "", {{"a", {{0, 97}, {1, 99}}}}), ::testing::Not(HasSubstr(">20<")));
}

TEST(Study, LongTitlesTakeSeveralLines) {
  std::string title;
  for (int i = 0; i < 40; ++i) title += "word" + std::to_string(i) + " ";
  const std::string bars = bar_plot(title, {{"measured", 1, "1"}}),
                    one = bar_plot("p", {{"measured", 1, "1"}});
  EXPECT_THAT(one, HasSubstr("viewBox=\"0 0 640 64\""));
  EXPECT_THAT(bars, HasSubstr("viewBox=\"0 -28 640 92\"")) << "three lines";
  EXPECT_THAT(bars, HasSubstr("y=\"-10\" text-anchor=\"middle\">word0 word1 "));
  EXPECT_THAT(bars, HasSubstr("y=\"18\" text-anchor=\"middle\">word"));
  EXPECT_THAT(bars, HasSubstr(" word39</text>"));
}

TEST(Study, SixteenSeriesAreToldApart) {
  std::vector<Series> series;
  for (int i = 0; i < 16; ++i) series.push_back({"s" + std::to_string(i), {{0, 1.0 * i}, {1, 2.0 * i}}});
  const std::string lines = line_plot("p", "", series);
  std::set<std::string> colours;
  for (std::size_t at = lines.find("stroke=\"#"); at != std::string::npos;
       at = lines.find("stroke=\"#", at + 1))
    colours.insert(lines.substr(at, 15));
  EXPECT_EQ(colours.size(), 16u);
}

TEST(Text, SecondsInTheUnitThatFits) {
  EXPECT_EQ(seconds_text(0), "0.0 s");
  EXPECT_EQ(seconds_text(0.0000125), "12.5 us");
  EXPECT_EQ(seconds_text(0.25), "250 ms");
  EXPECT_EQ(seconds_text(2.25), "2.2 s");
  EXPECT_EQ(seconds_text(62.5), "1:02.5");
  EXPECT_EQ(seconds_text(59.96), "1:00.0");
  EXPECT_EQ(seconds_text(119.97), "2:00.0");
  EXPECT_EQ(seconds_text(3723), "1:02:03");
}

TEST(Text, TailKeepsWholeCharacters) {
  EXPECT_EQ(tail_of("grüße", 10), "grüße");
  EXPECT_EQ(tail_of("grüße", 4), "…üße");
  EXPECT_EQ(width_of("grüße"), 5u);
}

}  // namespace
}  // namespace stream::cli
