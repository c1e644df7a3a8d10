/// CSV in and out.
#include <gmock/gmock.h>

#include "csv_to_record.hpp"
#include "record_to_csv.hpp"
#include "stream/testing.hpp"

namespace stream {
namespace {

std::vector<std::string> records(const Object& params, const std::vector<std::string>& lines) {
  const auto op = testing::make<CsvToRecord>(params);
  testing::Collector out;
  for (const std::string& line : lines) op->process(Packet::of<Text>(Time{}, line), out);
  std::vector<std::string> found;
  for (const Packet& p : out.packets[0]) found.emplace_back(Value(p.as<Record>().object()).dump());
  return found;
}

TEST(Csv, FieldsAreTyped) {
  EXPECT_THAT(records({}, {"arm,idle,reward,note\r", "a,3,0.5,\"x, \"\"y\"\"\"", "007,-1,1e3,",
                           "\"7\",2,nan,\"\"", ""}),
              ::testing::ElementsAre(R"({"arm": "a", "idle": 3, "reward": 0.5, "note": "x, \"y\""})",
                                     R"({"arm": "007", "idle": -1, "reward": 1000.0})",
                                     R"({"arm": "7", "idle": 2, "reward": "nan", "note": ""})"));
}

TEST(Csv, FaultsAreNamed) {
  EXPECT_THROW(records({}, {"a,b", "1,2,3"}), Error);
  EXPECT_THROW(records({}, {"a,b", "1,\"2"}), Error);
  EXPECT_THROW(records({}, {"a,b", "1,\"2\"x"}), Error);
  EXPECT_THROW(records({}, {"a,a"}), Error);
  EXPECT_THROW(records({}, {"a,,b"}), Error);
  EXPECT_THROW(records({{"separator", ";;"}}, {}), Error);
}

TEST(Csv, WhatIsWrittenReadsBack) {
  const Object row{{"id", "007"}, {"text", "a;b \"c\""}, {"n", -3},
                   {"x", 0.25},   {"none", Value()},     {"ok", true}};
  const auto op = testing::make<RecordToCsv>({{"separator", ";"}});
  testing::Collector out;
  op->process(Packet::of<Record>(Time{}, row), out);
  op->process(Packet::of<Record>(Time{}, Object{{"x", 1}, {"other", 2}}), out);
  std::vector<std::string> lines;
  for (const Packet& p : out.packets[0]) lines.emplace_back(p.as<Text>().str());
  EXPECT_THAT(lines,
              ::testing::ElementsAre("id;text;n;x;none;ok", R"(007;"a;b ""c""";-3;0.25;;true)", ";;;1;;"));
  EXPECT_THAT(records({{"separator", ";"}}, lines),
              ::testing::ElementsAre(
                  R"({"id": "007", "text": "a;b \"c\"", "n": -3, "x": 0.25, "ok": "true"})", R"({"x": 1})"));
}

}  // namespace
}  // namespace stream
