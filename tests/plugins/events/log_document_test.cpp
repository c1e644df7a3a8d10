/// Logs that are one document: whole, cut anywhere, damaged anywhere, and read on from anywhere.
#include <gmock/gmock.h>

#include "events/events_read.hpp"
#include "events/events_scenes.hpp"
#include "program/program.hpp"
#include "stream/random.hpp"
#include "stream/testing.hpp"

namespace stream::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// As StatsBomb lays its event files out: line-ups and whistles have no place; clocks begin anew in each
/// half.
constexpr const char* kMatch = R"([ {
  "id" : "9f6e2ecf", "index" : 1, "period" : 1, "timestamp" : "00:00:00.000", "minute" : 0, "second" : 0,
  "type" : { "id" : 35, "name" : "Starting XI" }, "possession" : 1,
  "possession_team" : { "id" : 217, "name" : "North, \"the\" [1]" },
  "tactics" : { "formation" : 442, "lineup" : [ { "player" : { "id" : 20055, "name" : "A" }, "jersey_number" : 1 } ] }
}, {
  "id" : "a3a2b8f0", "index" : 5, "period" : 1, "timestamp" : "00:00:01.123", "minute" : 0, "second" : 1,
  "type" : { "id" : 30, "name" : "Pass" }, "possession" : 2, "possession_team" : { "id" : 217, "name" : "North" },
  "team" : { "id" : 217, "name" : "North" }, "player" : { "id" : 5503, "name" : "B" }, "location" : [ 60.0, 40.0 ],
  "duration" : 0.97, "related_events" : [ "f1c0" ],
  "pass" : { "recipient" : { "id" : 6374, "name" : "C" }, "length" : 10.2, "end_location" : [ 50.0, 42.5 ] }
}, {
  "id" : "b1", "index" : 9, "period" : 2, "timestamp" : "00:00:00.500", "minute" : 45, "second" : 0,
  "type" : { "id" : 16, "name" : "Shot" }, "possession" : 3, "possession_team" : { "id" : 206, "name" : "South" },
  "team" : { "id" : 206, "name" : "South" }, "player" : { "id" : 77, "name" : "D" }, "location" : [ 108.1, 36.2 ],
  "shot" : { "outcome" : { "id" : 97, "name" : "Goal" }, "freeze_frame" : [
    { "location" : [ 119.0, 40.1 ], "player" : { "id" : 5503, "name" : "B" }, "teammate" : false } ] }
} ]
)";

/// As process-mining tools write XES.
constexpr const char* kTraces = R"(<?xml version="1.0" encoding="UTF-8" ?>
<!-- a log -- of two <cases> -->
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="concept:name" value="loans"/>
  <trace>
    <string key="concept:name" value="173688"/>
    <int key="AMOUNT_REQ" value="20000"/>
    <event>
      <string key="org:resource" value="112"/>
      <string key="concept:name" value="SUBMITTED &amp; 'read' &lt;1&gt; &#228;"/>
      <date key="time:timestamp" value="2011-10-01T00:38:44.546+02:00"/>
      <boolean key="urgent" value="true"/><float key="cost" value="2.5"><string key="unit" value="EUR"/></float>
    </event>
    <event>
      <string key="concept:name" value="ACCEPTED"/><date key="time:timestamp" value="2011-10-01T00:39:00.000+02:00"/>
      <list key="items"><values><string key="one" value="1"/></values></list>
    </event>
  </trace>
  <trace>
    <string key="concept:name"
            value="173691"/>
    <event><string key="concept:name" value="SUBMITTED"/><int key="n" value="many"/></event>
    <event><string key="concept:name" value="SUBMITTED"/><date key="time:timestamp" value="2011-10-01T08:00:00Z"/></event>
  </trace>
</log>
)";

class Documents : public ::testing::Test {
 protected:
  testing::Collector read(const std::string& text, Object params) {
    const std::string path = (folder_ / "log").string();
    testing::write_contents(path, text);
    params.set("path", path);
    const auto op = testing::make<EventsRead>(params);
    return testing::drain(dynamic_cast<Source&>(*op), 2);
  }
  static std::vector<std::string> faults(const testing::Collector& out) {
    std::vector<std::string> all;
    for (const Packet& p : out.packets[1])
      all.push_back(p.as<Record>().at("line").dump() + " " + p.as<Record>().at("fault").as_string());
    return all;
  }
  std::string why(const std::string& text, const std::string& dialect) {
    try {
      read(text, {{"dialect", dialect}});
      return {};
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
      return e.what();
    }
  }
  testing::ScratchFolder folder_;
};

TEST_F(Documents, AMatchIsReadInOrderOfItsClocks) {
  const auto out = read(kMatch, {{"dialect", "statsbomb"}});
  ASSERT_EQ(out.packets[0].size(), 2);  // who plays has no place
  const auto &pass = out.packets[0][0].as<Record>(), &shot = out.packets[0][1].as<Record>();
  EXPECT_DOUBLE_EQ(pass.at("time").as_double(), 1.123);
  EXPECT_EQ(pass.at("line").as_integer(), 6);
  EXPECT_EQ(pass.at("pass").as_object().find("recipient")->as_object().find("name")->as_string(), "C");
  EXPECT_DOUBLE_EQ(shot.at("time").as_double(), 3600.5);
  EXPECT_THAT(faults(out), IsEmpty());
}

TEST_F(Documents, AMatchBecomesScenes) {
  const std::string mapping = (folder_ / "scenes.json").string();
  testing::write_contents(mapping, R"({"nodes": [
    {"list": ".", "id": "player.id", "as": "player", "features": ["location.0", "location.1"]},
    {"list": ".", "id": "possession", "prefix": "ball", "as": "ball", "features": ["location.0", "location.1"]},
    {"list": "shot.freeze_frame", "id": "player.id", "as": "player", "features": ["location.0", "location.1"], "optional": true}],
    "near": [{"name": "has", "from": ["player"], "to": ["ball"], "radius": 0.1}]})");
  const auto out = read(kMatch, {{"dialect", "statsbomb"}});
  const auto op = testing::make<ScenesOperator>({{"mapping", mapping}});
  const auto made = testing::run(*op, out.packets[0], 2);
  EXPECT_THAT(made.packets[1], IsEmpty());
  ASSERT_EQ(made.packets[0].size(), 2);
  EXPECT_EQ(made.packets[0][0].as<Record>().at("nodes").as_array().size(), 2);
  EXPECT_EQ(
      made.packets[0][1].as<Record>().at("nodes").dump(),
      R"([{"id": 77, "type": "player", "x": [108.1, 36.2]}, {"id": "ball3", "type": "ball", "x": [108.1, 36.2]}, )"
      R"({"id": 5503, "type": "player", "x": [119.0, 40.1]}])");
  EXPECT_EQ(made.packets[0][1].as<Record>().at("edges").dump(),
            R"([{"src": 77, "dst": "ball3", "rel": "has"}])");
}

TEST_F(Documents, CasesAreReadWithWhatTheyAreAbout) {
  const auto out = read(kTraces, {{"dialect", "xes"}});
  ASSERT_EQ(out.packets[0].size(), 3);
  const auto& first = out.packets[0][0].as<Record>();
  EXPECT_EQ(first.at("key").as_string(), "173688");
  EXPECT_EQ(first.at("item").as_string(), "SUBMITTED & 'read' <1> \xC3\xA4");
  EXPECT_EQ(first.at("case:AMOUNT_REQ").as_integer(), 20000);
  EXPECT_TRUE(first.at("urgent").as_bool());
  EXPECT_DOUBLE_EQ(first.at("cost").as_double(), 2.5);
  EXPECT_EQ(first.find("unit"), nullptr);
  EXPECT_DOUBLE_EQ(first.at("time").as_double(), 1317422324.546);
  EXPECT_EQ(out.packets[0][2].as<Record>().at("key").as_string(), "173691");
  EXPECT_THAT(faults(out), ElementsAre("25 type"));
}

TEST_F(Documents, CasesThatOverlapNeedATolerance) {
  const auto event = [](const char* name, int second) {
    return std::string("<event><string key='concept:name' value='") + name +
           "'/><date key='time:timestamp' value='2011-10-01T00:00:0" + std::to_string(second) +
           "Z'/></event>";
  };
  const auto trace = [](const char* name, const std::string& events) {
    return std::string("<trace><string key='concept:name' value='") + name + "'/>" + events + "</trace>";
  };
  const std::string log =
      "<log>" + trace("one", event("a", 1) + event("b", 5)) + trace("two", event("c", 3)) + "</log>";
  EXPECT_THAT(faults(read(log, {{"dialect", "xes"}})), ElementsAre("1 late"));
  const auto out = read(log, {{"dialect", "xes"}, {"tolerance", "24h"}});
  std::string order;
  for (const Packet& p : out.packets[0]) order += p.as<Record>().at("item").as_string();
  EXPECT_EQ(order, "acb");
}

TEST_F(Documents, WhatCannotBeReadIsNamedWithItsPlace) {
  EXPECT_THAT(why("", "statsbomb"), HasSubstr("empty"));
  EXPECT_THAT(why("{\"id\": 1}", "statsbomb"), HasSubstr("line 1, column 1: expected '['"));
  EXPECT_THAT(why("[{\"id\": 1}\n {\"id\": 2}]", "statsbomb"), HasSubstr("line 2, column 2: expected ','"));
  EXPECT_THAT(why("[{\"id\": 1},]", "statsbomb"), HasSubstr("line 1, column 12: expected an event"));
  EXPECT_THAT(why("[]\n[]", "statsbomb"), HasSubstr("line 2, column 1: there is more"));
  EXPECT_THAT(why("[\n{\"id\": \"1", "statsbomb"),
              HasSubstr("breaks off within the event that begins in line 2"));
  EXPECT_THAT(why("[{\"id\": 1}", "statsbomb"), HasSubstr("not closed"));
  EXPECT_THAT(
      faults(read("[7, {\"a\" 1}, \"x\", null, {\"id\": \"u\", \"period\": 1, \"timestamp\": \"0:1\", "
                  "\"location\": [], \"player\": 1}]",
                  {{"dialect", "statsbomb"}})),
      ElementsAre("1 not-json", "1 not-json", "1 not-json", "1 not-json", "1 time"));
  EXPECT_THAT(why("", "xes"), HasSubstr("no <log>"));
  EXPECT_THAT(why("{}", "xes"), HasSubstr("line 1: expected '<'"));
  EXPECT_THAT(why("<html>\n</html>", "xes"), HasSubstr("line 1, at <html: expected <log>, found <html>"));
  EXPECT_THAT(why("<log>\n<trace></log>", "xes"),
              HasSubstr("line 2, at </log: </log> closes nothing: <trace> is open"));
  EXPECT_THAT(why("<log>\n<trace><event>", "xes"),
              HasSubstr("breaks off within <event>, in the event that begins in line 2"));
  EXPECT_THAT(why("<log a='1' a='2'/>", "xes"), HasSubstr("twice"));
  EXPECT_THAT(why("<log a='&unknown;'/>", "xes"), HasSubstr("&amp;"));
  EXPECT_THAT(why("<!DOCTYPE log [<!ENTITY a \"b\">]><log/>", "xes"), HasSubstr("are refused"));
  EXPECT_THAT(why("<?xml version='1.0' encoding='ISO-8859-1'?><log/>", "xes"), HasSubstr("expected UTF-8"));
  EXPECT_THAT(why("<log a='\xFF'/>", "xes"), HasSubstr("not UTF-8"));
  std::string deep = "<log>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(why(deep, "xes"), HasSubstr("deeper than 64"));
}

/// All that a document brings, cut into lines; a checkpoint is taken and restored before each.
std::string found_in(const std::string& text, const std::string& format, bool restored, std::string* why) {
  auto document = LogDocument::of_format(format);
  std::vector<LogDocument::Found> found;
  std::string all;
  std::int64_t line = 0;
  try {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      document->take(text.substr(at, end - at), ++line, found);
      at = end + 1;
      if (!restored) continue;
      const std::size_t bytes = document->bytes();
      Archive state;
      document->save(state);
      document = LogDocument::of_format(format);
      document->load(state);
      EXPECT_EQ(document->bytes(), bytes) << "line " << line;  // what a record's limit counts
    }
    document->finish();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    *why = e.what();
  }
  for (const auto& one : found)
    all += std::to_string(one.line) + " " + one.fault + Value(one.members).dump() + "\n";
  return all;
}

TEST(LogDocument, GoesOnFromAnyLine) {
  for (const auto& [text, format] : {std::pair(kMatch, "json"), std::pair(kTraces, "xes")}) {
    std::string why;
    const std::string whole = found_in(text, format, false, &why);
    EXPECT_EQ(why, "");
    EXPECT_EQ(found_in(text, format, true, &why), whole);
    EXPECT_EQ(why, "");
  }
}

TEST(LogDocument, ACutFileGivesWhatCameBeforeTheCutAndSaysSo) {
  for (const auto& [text, format] :
       {std::pair(std::string(kMatch), "json"), std::pair(std::string(kTraces), "xes")}) {
    std::string why;
    const std::string whole = found_in(text, format, false, &why);
    const std::size_t end = text.find_last_not_of('\n') + 1;
    for (std::size_t size = 0; size < end; ++size) {
      why.clear();
      const std::string some = found_in(text.substr(0, size), format, size % 7 == 0, &why);
      EXPECT_NE(why, "") << size;
      EXPECT_TRUE(whole.starts_with(some)) << size;
    }
  }
}

TEST(LogDocument, DamageIsNamedOrHarmless) {
  Random random(1);
  for (const auto& [text, format] :
       {std::pair(std::string(kMatch), "json"), std::pair(std::string(kTraces), "xes")})
    for (int trial = 0; trial < 3000; ++trial) {
      std::string damaged = text;
      for (int k = 0; k < 1 + trial % 4; ++k)
        damaged[random.below(damaged.size())] = static_cast<char>(
            trial % 2 == 0 ? random.below(256)
                           : static_cast<std::uint64_t>("<>\"'&/[]{},\n"[random.below(12)]));
      std::string why, again;
      EXPECT_EQ(found_in(damaged, format, true, &why), found_in(damaged, format, false, &again));
      EXPECT_EQ(why, again);
    }
}

}  // namespace
}  // namespace stream::events
