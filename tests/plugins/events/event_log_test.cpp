/// What a log of events may bring, and what comes of it.
#include <gmock/gmock.h>

#include "events/events_read.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"

namespace stream::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Log : public ::testing::Test {
 protected:
  testing::Collector read(const std::string& text, Object params = {}) {
    const std::string path = (folder_ / "log").string();
    testing::write_contents(path, text);
    params.set("path", path);
    const auto op = testing::make<EventsRead>(params);
    return testing::drain(dynamic_cast<Source&>(*op), 2);
  }
  /// "KEY ITEM SECONDS" of each event.
  static std::vector<std::string> events(const testing::Collector& out) {
    std::vector<std::string> all;
    for (const Packet& p : out.packets[0]) {
      const auto& r = p.as<Record>();
      EXPECT_EQ(p.key.str(), r.at("key").as_string());
      EXPECT_EQ(static_cast<double>(p.time.count()) / 1e9, r.at("time").as_double());
      all.push_back(r.at("key").as_string() + " " + r.at("item").as_string() + " " + r.at("time").dump());
    }
    return all;
  }
  /// "LINE FAULT" of each refused line.
  static std::vector<std::string> faults(const testing::Collector& out) {
    std::vector<std::string> all;
    for (const Packet& p : out.packets[1]) {
      const auto& r = p.as<Record>();
      all.push_back(r.at("line").dump() + " " + r.at("fault").as_string());
    }
    return all;
  }
  testing::ScratchFolder folder_;
};

TEST_F(Log, WhatIsWrongIsNamedWithItsLineAndHarmsNothingElse) {
  const auto out = read(
      R"({"user": "u", "item": "a", "ts": 10}
not json
{"user": "u", "item": "b"}
{"user": "u", "item": "b", "ts": null}
{"user": "u", "item": "b", "ts": -1}
{"user": "u", "item": "b", "ts": "yesterday"}
{"user": 7, "item": "b", "ts": 11}
{"user": "u", "item": 8, "ts": 11}
{"user": "u", "item": [1], "ts": 11}
{"user": "u", "item": "a", "ts": 10}
{"user": "u", "item": "b", "ts": 9}
{"user": "u", "item": "b", "ts": 99999999}
[1]
{"user": "", "item": "b", "ts": 12}
{"user": "u", "item": "b", "ts": 1e300}
{"user": "v", "item": "b", "ts": 12, "more": 1}
)");
  EXPECT_THAT(events(out), ElementsAre("u a 10.0", "v b 12.0"));
  EXPECT_EQ(out.packets[0][1].as<Record>().at("line").as_integer(), 16);
  EXPECT_EQ(out.packets[0][1].as<Record>().at("more").as_integer(), 1);
  EXPECT_THAT(faults(out), ElementsAre("2 not-json", "3 missing", "4 missing", "5 negative-time", "6 time",
                                       "7 id-kind", "8 id-kind", "9 type", "10 duplicate", "11 late",
                                       "12 clock-jump", "13 not-json", "14 missing", "15 time"));
}

TEST_F(Log, NumbersAreIdsWhereTheFirstIsOne) {
  const auto out = read("{\"user\": 7, \"item\": 1, \"ts\": 1}\n{\"user\": \"7\", \"item\": 1, \"ts\": 2}\n");
  EXPECT_THAT(events(out), ElementsAre("7 1 1.0"));
  EXPECT_THAT(faults(out), ElementsAre("2 id-kind"));
}

TEST_F(Log, EventsWithinTheToleranceArePutInOrder) {
  std::string text;
  for (const int t : {10, 14, 11, 13, 12, 12, 20, 15, 17})
    text += "{\"user\": \"u\", \"item\": \"a\", \"ts\": " + std::to_string(t) + "}\n";
  const auto out = read(text, {{"tolerance", "4s"}});
  EXPECT_THAT(events(out), ElementsAre("u a 10.0", "u a 11.0", "u a 12.0", "u a 13.0", "u a 14.0", "u a 17.0",
                                       "u a 20.0"));
  EXPECT_THAT(faults(out), ElementsAre("6 duplicate", "8 late"));
}

TEST_F(Log, AJumpThatASecondEventConfirmsIsOne) {
  std::string text;
  for (const int t : {10, 1000, 11, 1000, 1001, 1002})
    text += "{\"user\": \"u\", \"item\": \"a\", \"ts\": " + std::to_string(t) + "}\n";
  const auto out = read(text, {{"jump", "100s"}});
  EXPECT_THAT(events(out), ElementsAre("u a 10.0", "u a 11.0", "u a 1001.0", "u a 1002.0"));
  EXPECT_THAT(faults(out), ElementsAre("2 clock-jump", "4 clock-jump"));
}

TEST_F(Log, StopDeliversWhatCameBeforeAndNamesTheLine) {
  const std::string path = (folder_ / "log").string();
  testing::write_contents(path, "{\"user\": \"u\", \"item\": \"a\", \"ts\": 1}\n{\"user\": \"u\"}\n");
  const auto op = testing::make<EventsRead>({{"path", path}, {"faults", "stop"}});
  auto& source = dynamic_cast<Source&>(*op);
  testing::Collector out(2);
  ASSERT_TRUE(source.read(out));
  EXPECT_EQ(out.packets[0].size(), 1u);
  try {
    source.read(out);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("line 2"));
    EXPECT_THAT(e.what(), HasSubstr("missing"));
  }
}

TEST_F(Log, HoldsNoMoreThanItsBound) {
  EventGate gate({.tolerance = std::chrono::hours(1), .held = 100});
  std::vector<Event> out;
  for (int i = 0; i < 1000; ++i) {
    gate.take({std::chrono::seconds(i), "u", "a", i + 1, {}});
    gate.release(out);
    ASSERT_LE(gate.held(), 100u);
  }
  EXPECT_EQ(out.size(), 900u);
}

TEST_F(Log, Dialects) {
  EXPECT_THAT(events(read("31435931\t2\t4\t1385212958\t123\n", {{"dialect", "lfm-1b"}})),
              ElementsAre("31435931 4 1385212958.0"));
  EXPECT_THAT(
      events(read("userId,movieId,rating,timestamp\n1,2,3.5,10\n1,3,4.0,11\n", {{"dialect", "movielens"}})),
      ElementsAre("1 3 11.0"));
  EXPECT_THAT(
      events(read(
          R"({"user_name": "x", "listened_at": 5, "track_metadata": {"additional_info": {"recording_msid": "m"}}}
)",
          {{"dialect", "listenbrainz"}})),
      ElementsAre("x m 5.0"));
  EXPECT_THAT(
      events(read(
          R"({"ts": "2021-03-01T10:00:00Z", "username": "x", "spotify_track_uri": "spotify:track:1", "ms_played": 31000}
{"ts": "2021-03-01T10:01:00Z", "username": "x", "spotify_track_uri": "spotify:track:2", "ms_played": 1000}
{"ts": "2021-03-01 12:02:00+02:00", "username": "x", "spotify_track_uri": "spotify:track:3", "ms_played": 31000}
)",
          {{"dialect", "spotify"}})),
      ElementsAre("x spotify:track:1 1614592800.0", "x spotify:track:3 1614592920.0"));
}

TEST_F(Log, MappingFiles) {
  const std::string mapping = (folder_ / "mapping.json").string();
  testing::write_contents(mapping,
                          R"({"format": "csv", "key": "who", "item": "what", "time": "when", "unit": 0.001,
                              "required": ["price"], "strict": true})");
  const auto out = read("when,who,what,price\n1500,u,007,2\n1600,u,7,\n1700,u\n", {{"mapping", mapping}});
  EXPECT_THAT(events(out), ElementsAre("u 007 1.5"));
  EXPECT_THAT(faults(out), ElementsAre("3 missing", "4 columns"));
  const auto extra = read("when,who,what,price,more\n1500,u,7,2,5\n", {{"mapping", mapping}});
  EXPECT_THAT(faults(extra), ElementsAre("2 extra"));
  testing::write_contents(mapping, R"({"forma": "csv"})");
  try {
    read("", {{"mapping", mapping}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("forma"));
    EXPECT_THAT(e.what(), HasSubstr("did you mean 'format'"));
  }
}

TEST_F(Log, Empty) {
  EXPECT_THAT(events(read("")), IsEmpty());
  EXPECT_THAT(events(read("\n\n")), IsEmpty());
}

TEST(Times, OfTextsAndNumbers) {
  EXPECT_EQ(time_of(Value(1.5), 1), Time{1'500'000'000});
  EXPECT_EQ(time_of(Value(1500), 0.001), Time{1'500'000'000});
  EXPECT_EQ(time_of(Value("1970-01-01"), 1), Time{0});
  EXPECT_EQ(time_of(Value("1970-01-02T00:00:00.25"), 1), Time{86'400'250'000'000});
  EXPECT_EQ(time_of(Value("1970-01-01T01:00:00+01:00"), 1), Time{0});
  for (const char* wrong : {"", "1970", "1970-13-01", "1970-02-30", "1970-01-01T", "1970-01-01T25:00",
                            "1970-01-01T10:00:00x", "1970-01-01T10:00:00+1", "-970-01-01", "9999-01-01"})
    EXPECT_THROW(time_of(Value(wrong), 1), EventFault) << wrong;
}

}  // namespace
}  // namespace stream::events
