/// TimeGraphs as it is served: answers, faults, model files and logs with labels.
#include <gmock/gmock.h>

#include <cstdio>

#include "events/events_timegraphs.hpp"
#include "events/scene_log.hpp"
#include "nn/weights.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"
#include "timegraphs_games.hpp"

namespace stream::events {
namespace {

using ::testing::HasSubstr;

class Served : public ::testing::Test {
 protected:
  void SetUp() override {
    Asked asked{{"counter"}, false, false, {}};
    auto head = std::make_shared<ReasoningHead>(head_shape(*learnt(1), asked), 2);
    path_ = (folder_ / "model.h5").string();
    write_timegraphs(path_, {learnt(1), head, asked, {}});
  }
  testing::ScratchFolder folder_;
  std::string path_;
};

TEST_F(Served, AnswersWithReasons) {
  const auto op = testing::make<TimeGraphsOperator>({{"model", path_}, {"every", 50}, {"reasons", 3}});
  std::vector<Packet> packets;
  for (const Scene& scene : scenes_of(5))
    packets.push_back(Packet::of<Record>(Time{static_cast<std::int64_t>(scene.time) * 1'000'000'000},
                                         record_of(scene, pitch_vocabulary())));
  const auto out = testing::run(*op, packets, 3);
  ASSERT_EQ(out.packets[0].size(), 2u);
  const auto& said = out.packets[0][1].as<Record>();
  EXPECT_GT(said.at("answer").as_object().find("counter")->as_double(), 0);
  const Array& because = said.at("because").as_array();
  ASSERT_EQ(because.size(), 3u);
  for (const Value& reason : because) {
    const Object& one = reason.as_object();
    EXPECT_LE(one.find("start")->as_double(), one.find("end")->as_double());
    EXPECT_LE(one.find("end")->as_double(), said.at("time").as_double());
  }
  EXPECT_GT(out.packets[1].size(), 20u);
  EXPECT_TRUE(out.packets[2].empty());
}

TEST_F(Served, WhatIsWrongIsNamedAndChangesNothing) {
  const auto clean = testing::make<TimeGraphsOperator>({{"model", path_}, {"every", 7}}),
             soiled = testing::make<TimeGraphsOperator>({{"model", path_}, {"every", 7}});
  const char* wrong[][2] = {
      {R"({"edges": []})", "missing"},
      {R"({"nodes": 3})", "type"},
      {R"({"nodes": [{"id": "h0", "type": "horse", "x": [0, 0, 0, 0, 0, 0]}]})", "unknown-type"},
      {R"({"nodes": [{"id": "h0", "type": "home", "x": [0, 0, 0]}]})", "features"},
      {R"({"nodes": [{"id": "h0", "type": "home", "x": [0, 0, 0, 0, 0, "1"]}]})", "type"},
      {R"({"nodes": [{"id": "h0", "type": "home", "x": [0, 0, 0, 0, 0, 1e30]}]})", "features"},
      {R"({"nodes": [{"id": "h0", "type": "home"}]})", "missing"},
      {R"({"nodes": [{"id": "a", "type": "home", "x": [0, 0, 0, 0, 0, 0]}, {"id": 7, "type": "home", "x": [0, 0, 0, 0, 0, 0]}]})",
       "id-kind"},
      {R"({"nodes": [{"id": "a", "type": "home", "x": [0, 0, 0, 0, 0, 0]}, {"id": "a", "type": "home", "x": [0, 0, 0, 0, 0, 0]}]})",
       "duplicate-id"},
      {R"({"nodes": [{"id": "a", "type": "home", "x": [0, 0, 0, 0, 0, 0]}], "edges": [{"src": "a", "dst": "b", "rel": "near"}]})",
       "unknown-id"},
      {R"({"nodes": [{"id": "a", "type": "home", "x": [0, 0, 0, 0, 0, 0]}], "edges": [{"src": "a", "dst": "a", "rel": "far"}]})",
       "unknown-relation"},
      {R"({"nodes": [], "ask": "yes"})", "type"},
  };
  testing::Collector a(3), b(3);
  std::int64_t line = 0;
  for (const Scene& scene : scenes_of(5)) {
    const Packet packet = Packet::of<Record>(Time{static_cast<std::int64_t>(scene.time + 5) * 1'000'000'000},
                                             record_of(scene, pitch_vocabulary()));
    clean->process(packet, a), soiled->process(packet, b);
    const auto& [text, fault] = wrong[static_cast<std::size_t>(line) % std::size(wrong)];
    Object record = Value::parse(text).as_object();
    record.set("line", line);
    soiled->process(packet.with<Record>(record), b);
    ASSERT_EQ(b.packets[2].size(), static_cast<std::size_t>(line) + 1) << text;
    EXPECT_EQ(b.packets[2].back().as<Record>().at("fault").as_string(), fault) << text;
    EXPECT_EQ(b.packets[2].back().as<Record>().at("line").as_integer(), line);
    ++line;
  }
  ASSERT_EQ(a.packets[0].size(), b.packets[0].size());
  for (std::size_t port = 0; port < 2; ++port)
    for (std::size_t i = 0; i < a.packets[port].size(); ++i)
      EXPECT_EQ(a.packets[port][i].as<Record>().json(), b.packets[port][i].as<Record>().json());
}

TEST_F(Served, DamagedModelsAreRefused) {
  EXPECT_THROW(read_timegraphs((folder_ / "nothing.h5").string()), Error);
  Archive archive;
  archive.group("model").set("architecture", "timegraphs");
  archive.group("events").set("delay", std::int64_t{1});
  nn::write_model((folder_ / "odd.h5").string(), archive);
  EXPECT_THROW(read_timegraphs((folder_ / "odd.h5").string()), Error);
}

TEST(SceneLogs, AreReadWithTheirLabelsAndFaults) {
  const testing::ScratchFolder folder;
  testing::write_contents(folder / "log.jsonl",
                          R"({"game": "a", "t": 1, "nodes": [{"id": 1, "type": "p", "x": [0]}]}
{"game": "a", "t": 2, "nodes": [{"id": 1, "type": "p", "x": [0]}, {"id": 1, "type": "p", "x": [0]}]}
{"game": "a", "nodes": []}
{"game": "b", "t": 3, "nodes": [{"id": 1, "type": "p", "x": [0]}, {"id": 2, "type": "q", "x": [1]}], "edges": [{"src": 2, "dst": 1, "rel": "r"}]}
{"game": "b", "t": 6, "nodes": [], "edges": []}
)");
  testing::write_contents(folder / "labels.jsonl", R"({"game": "a", "t": 1, "labels": {"1": ["up"]}}
{"game": "b", "t": 3, "labels": {"1": ["down"], "2": []}}
{"game": "b", "t": 4, "labels": {}}
{"game": "c", "t": 5, "labels": {}}
{"game": "b", "t": 6, "labels": {}}
)");
  const SceneLog log =
      read_scene_log((folder / "log.jsonl").string(), {EventMapping::of_dialect("scenes"), {}, false},
                     (folder / "labels.jsonl").string(), {"p"});
  EXPECT_EQ(log.keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(log.asked.outputs, (std::vector<std::string>{"down", "up"}));
  EXPECT_EQ(log.games[0].questions[0].answer, (std::vector<float>{0, 1}));
  EXPECT_EQ(log.games[1].questions[0].answer, (std::vector<float>{1, 0, -1, -1}));
  EXPECT_EQ(log.games[1].questions.size(), 1u);
  EXPECT_THAT(log.faults, HasSubstr("1 missing"));
  EXPECT_THAT(log.faults, HasSubstr("1 duplicate-id (the first at line 2)"));
  EXPECT_THAT(log.faults,
              HasSubstr("labels: 1 unknown-key, 1 unknown-time, 1 without-nodes (the first at line 3)"));
}

/// What ships answers games that it has not seen: far better than a coin, which is right on half of them.
TEST(ShippedModel, TellsCounterAttacksInGamesThatItHasNotSeen) {
  const auto model = read_timegraphs(STREAM_SOURCE_DIR "/share/models/timegraphs-pitch.h5");
  Random random(4711);
  double right = 0;
  constexpr int kGames = 100;
  for (int i = 0; i < kGames; ++i) {
    const Game game = play_pitch({.steps = 276}, random);
    EventHierarchy hierarchy(model->events, model->hierarchy);
    for (const Scene& scene : game.scenes) hierarchy.push(scene), hierarchy.take_ended();
    const EventGraph graph = hierarchy.graph();
    const EventGraph* one = &graph;
    const bool yes = nn::inference([&] {
      return model->head->forward(batch_of(std::span(&one, 1), model->head->shape())).logits.item<float>() >
             0;
    });
    right += yes == (game.questions[0].answer[0] > 0) ? 1 : 0;
  }
  std::printf("right on %g of %d\n", right, kGames);
  EXPECT_GE(right / kGames, 0.7);
}

}  // namespace
}  // namespace stream::events
