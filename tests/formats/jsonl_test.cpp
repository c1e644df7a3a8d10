#include <gmock/gmock.h>

#include "fed_pipe.hpp"
#include "jsonl_read.hpp"
#include "jsonl_write.hpp"
#include "laws.hpp"

namespace stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  std::vector<Packet> packets;
  std::string error;
  ExitCode code = ExitCode::kOk;
};

Read read_records(const std::string& bytes, Object params = {}) {
  const laws::ScratchFile file(bytes, ".jsonl");
  params.set("path", file.path());
  const auto op = testing::make<JsonlRead>(params);
  testing::Collector out;
  Read result;
  try {
    while (dynamic_cast<Source&>(*op).read(out)) {
    }
  } catch (const Error& e) {
    result.error = e.what();
    result.code = e.code();
  }
  result.packets = std::move(out.packets[0]);
  return result;
}

TEST(JsonlRead, KeepsTheTextOfEveryRecordAndPassesOverBlankLines) {
  const Read read = read_records("{ \"a\": 1 }\r\n\n  \t\n{\"b\":\"\xC3\xA9\"}");
  ASSERT_EQ(read.packets.size(), 2u) << read.error;
  EXPECT_EQ(read.packets[0].as<Record>().json(), "{ \"a\": 1 }");
  EXPECT_EQ(read.packets[0].as<Record>().at("a").as_integer(), 1);
  EXPECT_EQ(read.packets[1].as<Record>().at("b").as_string(), "\xC3\xA9");
  EXPECT_EQ(read.packets[1].time, Time{3});
}

TEST(JsonlRead, ARecordThatIsKeptOutlivesThoseThatItWasReadWith) {
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += "{\"n\": " + std::to_string(i) + ", \"pad\": \"" + std::string(40, 'x') + "\"}\n";
  Read read = read_records(text);  // the reader, and its blocks of 64 KiB, are gone
  ASSERT_EQ(read.packets.size(), 3000u) << read.error;
  std::vector<Packet> kept;
  for (std::size_t i = 0; i < read.packets.size(); i += 7) kept.push_back(read.packets[i]);
  read.packets.clear();
  for (std::size_t i = 0; i < kept.size(); ++i)
    ASSERT_EQ(kept[i].as<Record>().at("n").as_integer(), static_cast<std::int64_t>(7 * i));
}

TEST(JsonlRead, NamesLineAndColumnOfADamagedLineAfterEverythingBefore) {
  const struct {
    const char *bytes, *message;
  } cases[] = {
      {"{\"a\":1}\n{\"b\": tru}\n{}\n", "line 2 (byte 8): column 10"},
      {"{\"a\":1}\n{\"cut\": \"in ha",
       "line 2 (byte 8): column 15: not JSON: it ends before the value is complete"},
      {"{\"a\":1}\n[1]\n", "line 2 (byte 8): expected a JSON object, found an array"},
      {"{\"a\":1}\n17\n", "expected a JSON object, found a number"},
      {"{\"a\":1}\n{\"b\":\"\xFF\"}\n", "line 2"},
      {"{\"a\":1}\n{} {}\n", "line 2"},
  };
  for (const auto& c : cases) {
    const Read read = read_records(c.bytes);
    EXPECT_EQ(read.packets.size(), 1u) << c.bytes;
    EXPECT_EQ(read.code, ExitCode::kBadData) << c.bytes;
    EXPECT_THAT(read.error, HasSubstr(c.message)) << c.bytes;
  }
}

TEST(JsonlRead, PassesOverWhatCannotBeWhenTold) {
  const Read read = read_records("{\"t\":1}\n{\"t\":NaN}\n[1]\n\n{\"t\":0.5}\n{\"t\":2}\n{\"t\":",
                                 {{"faults", "skip"}, {"time", "t"}});
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.packets.size(), 2u);
  EXPECT_EQ(read.packets[1].time, Time{2'000'000'000});
}

TEST(JsonlRead, SaysWhatStandsWhereItCannot) {
  const struct {
    const char *bytes, *message;
  } cases[] = {
      {"{\"r\": NaN}\n", "column 7: not JSON: NaN is no number in JSON"},
      {"{\"r\": -Infinity}\n", "-Infinity is no number in JSON"},
      {"{\"r\": nan, \"b\": 1}\n", "nan is no number in JSON"},
      {"hello world\n", "column 1: not JSON: unexpected 'hello'"},
      {"{'a': 1}\n", "column 2: not JSON: unexpected"},
      {"{\"a\": 1,}\n", "column 9: not JSON: unexpected '}'"},
  };
  for (const auto& c : cases) {
    const Read read = read_records(c.bytes);
    EXPECT_THAT(read.error, HasSubstr(c.message)) << c.bytes;
  }
}

TEST(JsonlRead, TakesTimesAndKeysFromMembers) {
  const Read read =
      read_records("{\"t\":0.5,\"k\":\"x\"}\n{\"t\":2,\"k\":7}\n{\"t\":2}\n", {{"time", "t"}, {"key", "k"}});
  ASSERT_EQ(read.packets.size(), 3u) << read.error;
  EXPECT_EQ(read.packets[0].time, Time{500'000'000});
  EXPECT_EQ(read.packets[1].time, Time{2'000'000'000});
  EXPECT_EQ(read.packets[0].key.str(), "x");
  EXPECT_EQ(read.packets[1].key.str(), "7");
  EXPECT_TRUE(read.packets[2].key.empty());
}

TEST(JsonlRead, RefusesTimesAndKeysThatAreNone) {
  const Object by_time{{"time", "t"}}, by_key{{"key", "k"}};
  EXPECT_THAT(read_records("{\"t\":2}\n{\"t\":1}\n", by_time).error,
              HasSubstr("line 2 (byte 8): member 't' goes back in time"));
  EXPECT_THAT(read_records("{\"x\":2}\n", by_time).error, HasSubstr("no member 't'"));
  EXPECT_THAT(read_records("{\"t\":\"2\"}\n", by_time).error, HasSubstr("not a number"));
  EXPECT_THAT(read_records("{\"t\":1e300}\n", by_time).error, HasSubstr("no time in seconds"));
  EXPECT_THAT(read_records("{\"k\":[]}\n", by_key).error, HasSubstr("neither a string nor an integer"));
}

TEST(JsonlRead, AnyCutOfAnInputIsHandled) {
  const std::string bytes = "{\"a\": [1, 2.5e3, \"\\u00e9\"]}\r\n{\"b\": {\"c\": null}}\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Read read = read_records(bytes.substr(0, cut));
    const std::size_t first_end = bytes.find('}') + 1;
    const bool complete = cut == 0 || (cut >= first_end && cut <= first_end + 2) || cut >= bytes.size() - 1;
    EXPECT_EQ(read.code == ExitCode::kOk, complete) << cut;
  }
}

TEST(JsonlWrite, WritesOneLineForEachRecord) {
  const laws::ScratchFile file;
  const auto op = testing::make<JsonlWrite>({{"path", file.path()}});
  testing::run(*op, {Packet::of<Record>(Time{}, Object{{"a", 1}}),
                     Packet::of<Record>(Time{}, Buffer::own(std::string("{\"b\":  2}"))),
                     Packet::of<Record>(Time{}, Buffer::own(std::string("{\n  \"c\": 3\n}")))});
  dynamic_cast<Sink&>(*op).flush();
  EXPECT_EQ(file.read(), "{\"a\": 1}\n{\"b\":  2}\n{\"c\": 3}\n");
}

/// What jsonl.write makes of these records, as numbered from `first` on.
std::string numbered(const std::vector<std::string>& records, std::int64_t first = 0) {
  const laws::ScratchFile file("", ".jsonl");
  const auto op = testing::make<JsonlWrite>({{"path", file.path()}, {"sequence", "seq"}});
  Archive state;
  state.set("offset", 0);
  state.set("sequence", first);
  op->load(state);
  testing::Collector none;
  for (const auto& json : records)
    op->process(Packet::of<Record>(Time{0}, Buffer::own(std::string(json))), none);
  dynamic_cast<Sink&>(*op).flush();
  Archive after;
  op->save(after);
  EXPECT_EQ(after.get<std::int64_t>("sequence"), first + static_cast<std::int64_t>(records.size()));
  return read_file(file.path());
}

TEST(JsonlWrite, NumbersRecordsAndLeavesTheRestAsItWas) {
  EXPECT_EQ(numbered({"{ \"a\":  1.50 }", "{}", " {\t} ", "{\"b\":{}}"}, 8),
            "{\"seq\": 8,  \"a\":  1.50 }\n{\"seq\": 9}\n {\"seq\": 10\t} \n{\"seq\": 11, \"b\":{}}\n");
}

TEST(JsonlWrite, ARecordThatHasTheNumbersMemberIsAnError) {
  try {
    numbered({"{\"seq\": 1}"});
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("has a member 'seq' already"));
  }
}

}  // namespace
}  // namespace stream
