/// Logs of other shapes as scenes.
#include <gmock/gmock.h>

#include "events/events_scenes.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"

namespace stream::events {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Scenes : public ::testing::Test {
 protected:
  /// "TIME NODES EDGES" of each scene, "LINE FAULT" of what was refused.
  std::pair<std::vector<std::string>, std::vector<std::string>> scenes(
      const std::string& mapping, const std::vector<std::string>& lines) {
    const std::string path = (folder_ / "mapping.json").string();
    testing::write_contents(path, mapping);
    const auto op = testing::make<ScenesOperator>({{"mapping", path}});
    std::vector<Packet> packets;
    for (const std::string& line : lines) {
      Object record = Value::parse(line).as_object();
      const std::int64_t time = record.find("t")->as_integer();
      record.set("line", static_cast<std::int64_t>(packets.size()) + 1);
      packets.push_back(Packet::of<Record>(std::chrono::seconds(time), std::move(record)));
    }
    const auto out = testing::run(*op, packets, 2);
    std::vector<std::string> made, refused;
    for (const Packet& p : out.packets[0]) {
      const auto& r = p.as<Record>();
      made.push_back(std::to_string(p.time.count() / 1'000'000'000) + " " + r.at("nodes").dump() + " " +
                     r.at("edges").dump());
    }
    for (const Packet& p : out.packets[1]) {
      const auto& r = p.as<Record>();
      refused.push_back(r.at("line").dump() + " " + r.at("fault").as_string());
    }
    return {made, refused};
  }
  testing::ScratchFolder folder_;
};

TEST_F(Scenes, OfRows) {
  const auto [made, refused] = scenes(
      R"({"id": "p", "type": "team", "features": ["at.x"], "near": [{"name": "near", "over": [0], "count": 1, "from": ["a"]}]})",
      {R"({"t": 1, "p": "u", "team": "a", "at": {"x": 0}})",
       R"({"t": 1, "p": "v", "team": "b", "at": {"x": 2}})",
       R"({"t": 1, "p": "w", "team": "b", "at": {"x": 1}})",
       R"({"t": 1, "p": "u", "team": "a", "at": {"x": 5}})",
       R"({"t": 1, "p": 7, "team": "a", "at": {"x": 5}})", R"({"t": 1, "p": "x", "team": "a"})",
       R"({"t": 2, "p": "u", "team": "a", "at": {"x": "far"}})",
       R"({"t": 3, "p": "v", "team": "b", "at": {"x": 3}})"});
  EXPECT_THAT(made, ElementsAre(HasSubstr(R"([{"src": "u", "dst": "w", "rel": "near"}])"),
                                R"(3 [{"id": "v", "type": "b", "x": [3.0]}] [])"));
  EXPECT_THAT(refused, ElementsAre("4 duplicate-id", "5 id-kind", "6 missing", "7 type"));
}

TEST_F(Scenes, OfSeveralKeysLeaveInTheOrderOfTime) {
  const std::string path = (folder_ / "mapping.json").string();
  testing::write_contents(path, R"({"id": "p", "as": "a", "features": ["x"]})");
  const auto op = testing::make<ScenesOperator>({{"mapping", path}});
  std::vector<Packet> packets;
  for (const auto& [time, key] : {std::pair{1, "u"}, {1, "v"}, {2, "v"}, {3, "u"}, {3, "v"}, {4, "v"}}) {
    packets.push_back(Packet::of<Record>(std::chrono::seconds(time), Object{{"p", "q"}, {"x", time}}));
    packets.back().key = Key(key);
  }
  const auto out = testing::run(*op, packets, 2);  // which checks that times do not decrease
  std::vector<std::string> made;
  for (const Packet& p : out.packets[0])
    made.push_back(std::to_string(p.time.count() / 1'000'000'000) + std::string(p.key.str()));
  EXPECT_THAT(made, ElementsAre("1u", "1v", "2v", "3u", "3v", "4v"));
}

TEST_F(Scenes, OfFramesWithListsAndRelations) {
  const auto [made, refused] = scenes(
      R"({"nodes": [{"list": "actors", "id": "id", "type": "class_name", "features": ["bbox.x", "bbox.y"]},
                    {"list": "objects", "id": "id", "as": "thing", "prefix": "o", "features": ["bbox.x", "bbox.y"]}],
          "edges": [{"list": "relationships", "src": "source_id", "dst": "target_id", "relation": "class_name"}]})",
      {R"({"t": 1, "actors": [{"id": "A", "class_name": "cook", "bbox": {"x": 1, "y": 2}}],
           "objects": [{"id": 1, "bbox": {"x": 3, "y": 4}}],
           "relationships": [{"source_id": "A", "target_id": "o1", "class_name": "holding"}]})",
       R"({"t": 2, "actors": []})", R"({"t": 3, "actors": [3], "objects": []})"});
  EXPECT_THAT(
      made,
      ElementsAre(
          R"(1 [{"id": "A", "type": "cook", "x": [1.0, 2.0]}, {"id": "o1", "type": "thing", "x": [3.0, 4.0]}] )"
          R"([{"src": "A", "dst": "o1", "rel": "holding"}])"));
  EXPECT_THAT(refused, ElementsAre("2 missing", "3 type"));
}

TEST_F(Scenes, OfListsOfNumbers) {
  const auto [made, refused] = scenes(
      R"({"nodes": [{"list": "left_team", "as": "left", "prefix": "l"}, {"list": "ball", "as": "ball", "prefix": "b"}],
          "near": [{"name": "has", "from": ["left"], "to": ["ball"], "radius": 0.5}]})",
      {R"({"t": 1, "left_team": [[0, 0], [1, 1]], "ball": [1.2, 1]})",
       R"({"t": 2, "left_team": [[0]], "ball": [1, 1]})"});
  EXPECT_THAT(made, ElementsAre(HasSubstr(R"([{"src": "l1", "dst": "b0", "rel": "has"}])")));
  EXPECT_THAT(refused, ElementsAre("2 features"));
}

TEST_F(Scenes, MappingsThatCannotBeAreRefused) {
  for (const auto& [mapping, says] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"ids": "p"})", "did you mean 'id'"},
           {R"({"id": "p", "features": []})", "one of 'type' and 'as'"},
           {R"({"nodes": [{"as": "x"}]})", "need a 'list'"},
           {R"({"id": "p", "as": "x", "near": [{"name": "n"}]})", "one of count and radius"},
           {R"({"id": "p", "as": "x", "nodes": [{"list": "l", "as": "x"}]})", "either"},
           {R"([1])", "object"}}) {
    try {
      scenes(mapping, {});
      ADD_FAILURE() << mapping;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData);
      EXPECT_THAT(e.what(), HasSubstr(says));
      EXPECT_THAT(e.what(), HasSubstr("mapping.json"));
    }
  }
}

}  // namespace
}  // namespace stream::events
