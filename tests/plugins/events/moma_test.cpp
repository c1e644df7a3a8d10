/// Annotations of MOMA-LRG (anns.json) and of MOMA 1.0 (graph_anns.json): as scenes, cut, damaged and
/// hostile.
///
/// Layouts after the schema that StanfordVL/moma publishes, and for MOMA 1.0 after what its readers take
/// apart.
#include <gmock/gmock.h>

#include <fstream>

#include "events/events_read.hpp"
#include "events/events_scenes.hpp"
#include "events/log_document.hpp"
#include "events/nested_records.hpp"
#include "program/program.hpp"
#include "stream/log.hpp"
#include "stream/random.hpp"
#include "stream/testing.hpp"

namespace stream::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Two frames of one trimmed video: both actors hold both objects; both walk.
constexpr const char* kFrames = R"json([
{"graph_id": "g1", "raw_video_id": "r1", "trim_video_id": "t1", "fps": 30.0, "frame_timestamp": 0.5,
 "annotation": {
  "frame_dim": {"width": 640, "height": 360},
  "actors": [
   {"class": "waiter", "id_in_video": "A", "bbox": {"topLeft": {"x": 1, "y": 2}, "topRight": {"x": 5, "y": 2},
                                                    "bottomLeft": {"x": 1, "y": 9}, "bottomRight": {"x": 5, "y": 9}}},
   {"class": "customer", "id_in_video": "B", "bbox": {"topLeft": {"x": 3, "y": 2}, "topRight": {"x": 6, "y": 2},
                                                      "bottomLeft": {"x": 3, "y": 8}, "bottomRight": {"x": 6, "y": 8}}}],
  "objects": [
   {"class": "plate", "id_in_video": "1", "bbox": {"topLeft": {"x": 4, "y": 4}, "topRight": {"x": 5, "y": 4},
                                                   "bottomLeft": {"x": 4, "y": 5}, "bottomRight": {"x": 5, "y": 5}}},
   {"class": "cup", "id_in_video": "2", "bbox": {"topLeft": {"x": 5, "y": 4}, "topRight": {"x": 6, "y": 4},
                                                 "bottomLeft": {"x": 5, "y": 5}, "bottomRight": {"x": 6, "y": 5}}}],
  "atomic_actions": [{"class": "walking", "actor_id": "A,B"}],
  "relationships": [{"class": "holding", "description": "(A,B),(1,2)"
}]
}
},
{"graph_id": "g2", "raw_video_id": "r1", "trim_video_id": "t1", "fps": 30.0, "frame_timestamp": 1.5,
 "annotation": {"actors": [], "objects": [], "atomic_actions": [], "relationships": []}}
])json";

constexpr const char* kFramesMapping = R"({"nodes": [
  {"list": "annotation.actors", "id": "id_in_video", "type": "class", "features": ["bbox.topLeft.x", "bbox.bottomRight.y"]},
  {"list": "annotation.objects", "id": "id_in_video", "type": "class", "features": ["bbox.topLeft.x", "bbox.bottomRight.y"]}],
 "edges": [{"list": "annotation.relationships", "groups": "description", "relation": "class"},
           {"list": "annotation.atomic_actions", "groups": "actor_id", "relation": "class"}]})";

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string& activities() {
  static const std::string text = contents(STREAM_SOURCE_DIR "/share/examples/moma.json");
  return text;
}

class Moma : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {  // faults are looked at, not printed
    set_log_sink([](LogLevel, std::string_view, std::string_view) {}, LogLevel::kError);
  }
  testing::Collector read(const std::string& text, const char* dialect) {
    const std::string path = (folder_ / "log").string();
    testing::write_contents(path, text);
    const auto op = testing::make<EventsRead>({{"path", path}, {"dialect", dialect}});
    return testing::drain(dynamic_cast<Source&>(*op), 2);
  }
  testing::Collector scenes(const testing::Collector& log, const std::string& mapping) {
    const auto op = testing::make<ScenesOperator>({{"mapping", mapping}});
    return testing::run(*op, log.packets[0], 2);
  }
  static std::vector<std::string> faults(const testing::Collector& out) {
    std::vector<std::string> all;
    for (const Packet& p : out.packets[1])
      all.push_back(p.as<Record>().at("line").dump() + " " + p.as<Record>().at("fault").as_string());
    return all;
  }
  /// Everything that comes of a text, good and refused, and how it ended.
  std::string all_of(const std::string& text, const char* dialect, std::string* end) {
    const std::string path = (folder_ / "log").string();
    testing::write_contents(path, text);
    const auto op = testing::make<EventsRead>({{"path", path}, {"dialect", dialect}});
    testing::Collector out(2);
    try {
      while (dynamic_cast<Source&>(*op).read(out)) {
      }
      *end = "good";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
      *end = e.what();
    }
    std::string all;
    for (const Packet& p : out.packets[0]) (all += p.as<Record>().json()) += "\n";
    return all;
  }
  testing::ScratchFolder folder_;
};

TEST_F(Moma, EveryInteractionIsASceneAndActivitiesFollowEachOther) {
  const auto log = read(activities(), "moma");
  EXPECT_THAT(faults(log), IsEmpty());
  ASSERT_EQ(log.packets[0].size(), 4u);
  std::vector<std::string> about;
  for (const Packet& p : log.packets[0]) {
    const auto& r = p.as<Record>();
    about.push_back(r.at("key").as_string() + " " + r.at("item").as_string() + " " + r.at("time").dump() +
                    " " + r.at("activity.class_name").as_string() + ", " +
                    r.at("activity.sub_activities.class_name").as_string());
  }
  EXPECT_THAT(about, ElementsAre("dining-1 dining-1-0 4.0 dining service, take the order",
                                 "dining-1 dining-1-1 7.5 dining service, take the order",
                                 "dining-1 dining-1-2 13.0 dining service, serve food",
                                 "haircut-1 haircut-1-0 86402.0 haircut, cut hair"));
  const auto made = scenes(log, STREAM_SOURCE_DIR "/share/examples/moma-scenes.json");
  EXPECT_THAT(faults(made), IsEmpty());
  ASSERT_EQ(made.packets[0].size(), 4u);
  EXPECT_EQ(made.packets[0][0].as<Record>().at("nodes").dump(),
            R"([{"id": "A", "type": "waiter", "x": [100.0, 40.0, 80.0, 220.0]}, )"
            R"({"id": "B", "type": "customer", "x": [320.0, 120.0, 90.0, 160.0]}, )"
            R"({"id": "1", "type": "notepad", "x": [170.0, 130.0, 20.0, 26.0]}])");
  EXPECT_EQ(made.packets[0][0].as<Record>().at("edges").dump(),
            R"([{"src": "A", "dst": "B", "rel": "facing"}, {"src": "A", "dst": "1", "rel": "holding"}, )"
            R"({"src": "B", "dst": "B", "rel": "seated"}, {"src": "B", "dst": "B", "rel": "speaking"}])");
}

TEST_F(Moma, FramesOfTheFirstEditionNameTheirGroups) {
  const std::string mapping = (folder_ / "mapping.json").string();
  testing::write_contents(mapping, kFramesMapping);
  const auto log = read(kFrames, "moma-1.0");
  EXPECT_THAT(faults(log), IsEmpty());
  const auto made = scenes(log, mapping);
  EXPECT_THAT(faults(made), IsEmpty());
  ASSERT_EQ(made.packets[0].size(), 2u);
  EXPECT_EQ(made.packets[0][0].key.str(), "t1");
  EXPECT_EQ(made.packets[0][0].as<Record>().at("nodes").as_array()[3].dump(),
            R"({"id": "2", "type": "cup", "x": [5.0, 5.0]})");
  EXPECT_EQ(made.packets[0][0].as<Record>().at("edges").dump(),
            R"([{"src": "A", "dst": "1", "rel": "holding"}, {"src": "A", "dst": "2", "rel": "holding"}, )"
            R"({"src": "B", "dst": "1", "rel": "holding"}, {"src": "B", "dst": "2", "rel": "holding"}, )"
            R"({"src": "A", "dst": "A", "rel": "walking"}, {"src": "B", "dst": "B", "rel": "walking"}])");
}

TEST_F(Moma, GroupsThatCannotBeReadAreFaults) {
  const std::string mapping = (folder_ / "mapping.json").string();
  testing::write_contents(mapping, kFramesMapping);
  std::string many = "(A";
  for (int i = 0; i < 300; ++i) many += ",A";
  many += ")," + many + ")";
  for (const auto& [description, fault] :
       std::initializer_list<std::pair<std::string, const char*>>{{"(A),(1)", ""},
                                                                  {"A , B", ""},
                                                                  {"(A,B", "type"},
                                                                  {"A)", "type"},
                                                                  {"", "type"},
                                                                  {"()", "type"},
                                                                  {"(A),(1),(2)", "type"},
                                                                  {"(A,),(1)", "type"},
                                                                  {"((A)),(1)", "type"},
                                                                  {"(A)x(1)", "type"},
                                                                  {many, "too-many"}}) {
    std::string text = kFrames;
    const std::string was = "(A,B),(1,2)";
    text.replace(text.find(was), was.size(), description);
    const auto made = scenes(read(text, "moma-1.0"), mapping);
    std::vector<std::string> found;
    for (const Packet& p : made.packets[1]) found.push_back(p.as<Record>().at("fault").as_string());
    if (*fault)
      EXPECT_THAT(found, ElementsAre(fault)) << description;
    else
      EXPECT_THAT(found, IsEmpty()) << description;
  }
}

TEST_F(Moma, WhatIsWrongIsNamedAndHarmsNoOther) {
  const auto wrong = [&](const std::string& was, const std::string& is) {
    std::string text = activities();
    text.replace(text.find(was), was.size(), is);
    const auto out = read(text, "moma");
    return std::pair(out.packets[0].size(), faults(out));
  };
  using Found = std::pair<std::size_t, std::vector<std::string>>;
  EXPECT_EQ(wrong(R"("time": 7.5)", R"("time": "soon")"), (Found{3, {"2 time"}}));
  EXPECT_EQ(wrong(R"("time": 7.5)", R"("when": 7.5)"), (Found{3, {"2 missing"}}));
  EXPECT_EQ(wrong(R"("time": 7.5)", R"("time": 86400)"), (Found{3, {"2 time"}}));
  EXPECT_EQ(wrong(R"("time": 7.5)", R"("time": -7.5)"), (Found{3, {"2 negative-time"}}));
  EXPECT_EQ(wrong(R"("time": 7.5)", R"("time": 3.5)"), (Found{3, {"2 late"}}));
  EXPECT_EQ(wrong(R"("id": "dining-1",)", R"("id": 7,)"), (Found{3, {"46 id-kind"}}));
  EXPECT_EQ(wrong(R"("id": "dining-1",)", ""), (Found{1, {"2 missing", "2 missing", "2 missing"}}));
  EXPECT_EQ(wrong("sub_activities", "activities"), (Found{1, {"2 missing"}}));
  EXPECT_EQ(wrong("higher_order_interactions", "frames"), (Found{2, {"2 missing"}}));
  // A video that is no JSON keeps its day: what follows it has the times that it would have.
  std::string text = activities();
  text.replace(text.find(": \"dining.mp4\""), 1, "");
  const auto out = read(text, "moma");
  EXPECT_THAT(faults(out), ElementsAre("2 not-json"));
  ASSERT_EQ(out.packets[0].size(), 1u);
  EXPECT_DOUBLE_EQ(out.packets[0][0].as<Record>().at("time").as_double(), 86402);
}

/// What a document and the lists within its records bring, without a file around them.
std::string found_in(const std::string& text, const char* dialect, std::string* end) {
  const EventMapping mapping = EventMapping::of_dialect(dialect);
  const auto document = LogDocument::of_format(mapping.format);
  std::vector<LogDocument::Found> found;
  *end = "good";
  try {
    std::int64_t line = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t stop = std::min(text.find('\n', at), text.size());
      document->take(text.substr(at, stop - at), ++line, found);
      at = stop + 1;
    }
    document->finish();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
    *end = e.what();
  }
  std::string all;
  for (const auto& record : found) {
    all += std::to_string(record.line) + record.fault + "\n";
    if (mapping.each.empty()) (all += Value(record.members).dump()) += "\n";
    if (!mapping.each.empty() && record.fault.empty())
      for (const auto& one : nested_records(record.members, mapping.each))
        (all += one.fault ? one.fault->name() : Value(one.members).dump()) += "\n";
  }
  return all;
}

TEST_F(Moma, ACutFileGivesWhatCameBeforeTheCutAndSaysSo) {
  for (const auto& [text, dialect] :
       {std::pair(activities(), "moma"), std::pair(std::string(kFrames), "moma-1.0")}) {
    std::string end;
    const std::string whole = all_of(text, dialect, &end);
    EXPECT_EQ(end, "good");
    const std::string records = found_in(text, dialect, &end);
    EXPECT_EQ(end, "good");
    const std::size_t last = text.find_last_not_of('\n') + 1;
    for (std::size_t size = 0; size < last; ++size) {
      const std::string cut = text.substr(0, size);
      ASSERT_TRUE(records.starts_with(found_in(cut, dialect, &end))) << dialect << " cut at byte " << size;
      ASSERT_NE(end, "good") << dialect << " cut at byte " << size;
      if (size % 61 != 0) continue;  // a file of its own for each takes its time
      ASSERT_TRUE(whole.starts_with(all_of(cut, dialect, &end))) << dialect << " cut at byte " << size;
      ASSERT_NE(end, "good") << dialect << " cut at byte " << size;
    }
  }
}

TEST_F(Moma, DamageIsNamedOrHarmless) {
  const std::string mapping = (folder_ / "mapping.json").string();
  testing::write_contents(mapping, kFramesMapping);
  Random random(2);
  for (const auto& [text, dialect] :
       {std::pair(activities(), "moma"), std::pair(std::string(kFrames), "moma-1.0")})
    for (int trial = 0; trial < 150; ++trial) {
      std::string damaged = text;
      for (int k = 0; k < 1 + trial % 4; ++k)
        damaged[random.below(damaged.size())] = static_cast<char>(
            trial % 2 == 0 ? random.below(256)
                           : static_cast<std::uint64_t>("\"()[]{},:0e\n"[random.below(12)]));
      testing::write_contents((folder_ / "log").string(), damaged);
      const auto op = testing::make<EventsRead>({{"path", (folder_ / "log").string()}, {"dialect", dialect}});
      testing::Collector out(2);
      try {
        while (dynamic_cast<Source&>(*op).read(out)) {
        }
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
      }
      const auto made =
          scenes(out, dialect == std::string("moma") ? STREAM_SOURCE_DIR "/share/examples/moma-scenes.json"
                                                     : mapping);
      EXPECT_EQ(made.packets[0].size() + made.packets[1].size(), out.packets[0].size());
    }
}

TEST(NestedRecords, RepeatWhatIsAroundThem) {
  const auto found = nested_records(
      Value::parse(
          R"({"a": 1, "name": "outer", "list": [0], "b": {"c": null, "d": [{"name": "own", "e": [2]}, 3, {}]}})")
          .as_object(),
      "b.d");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(Value(found[0].members).dump(), R"({"a": 1, "name": "own", "b.c": null, "e": [2]})");
  ASSERT_TRUE(found[1].fault);
  EXPECT_EQ(found[1].fault->name(), "type");
  EXPECT_EQ(Value(found[2].members).dump(), R"({"a": 1, "name": "outer", "b.c": null})");
}

TEST(NestedRecords, DoNotFillTheMemory) {
  const std::string large(1 << 20, 'x');
  Array entries(100000, Value(Object{}));
  const auto found = nested_records(Object{{"large", large}, {"list", entries}}, "list");
  EXPECT_LT(found.size(), 66u);
  ASSERT_TRUE(found.back().fault);
  EXPECT_EQ(found.back().fault->name(), "too-many");
}

}  // namespace
}  // namespace stream::events
