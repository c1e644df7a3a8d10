/// TimeGraphs: what must be exact, and what must not matter.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "events/whole_hierarchy.hpp"
#include "timegraphs_games.hpp"

namespace stream::events {
namespace {

using Key4 = std::tuple<std::int64_t, std::int64_t, std::int32_t>;
std::set<Key4> promoted(const std::vector<Scene>& scenes, std::int64_t delay, HierarchyOptions options = {}) {
  EventHierarchy hierarchy(learnt(delay), options);
  std::vector<EventHierarchy::Promoted> all;
  hierarchy.promotions = &all;
  for (const Scene& scene : scenes) hierarchy.push(scene);
  std::set<Key4> out;
  for (const auto& p : all) out.emplace(p.level, p.step, p.entity);
  return out;
}

TEST(TimeGraphs, AStreamGrowsTheHierarchyOfTheWholeLog) {
  for (const std::int64_t delay : {0, 1, 2}) {
    SCOPED_TRACE(delay);
    const auto scenes = scenes_of(7);
    EventHierarchy hierarchy(learnt(delay), {.horizon = 6});
    std::vector<EventHierarchy::Promoted> all;
    hierarchy.promotions = &all;
    for (const Scene& scene : scenes) hierarchy.push(scene);
    const WholeHierarchy whole = whole_hierarchy(scenes, *learnt(delay), 6);
    std::set<Key4> stream, batch;
    for (const auto& p : all) stream.emplace(p.level, p.step, p.entity);
    for (const auto& e : whole.events) batch.emplace(e.level, e.step, e.entity);
    EXPECT_EQ(stream, batch);
    EXPECT_GT(stream.size(), 20u);
    const EventGraph graph = hierarchy.graph();
    ASSERT_EQ(graph.nodes.size(), whole.graph.nodes.size());
    EXPECT_EQ(graph.edges.size(), whole.graph.edges.size());
    hierarchy.finish();
    std::multiset<std::tuple<std::int64_t, double, double, std::int64_t>> ended, spans;
    for (const EndedEvent& e : hierarchy.take_ended()) ended.emplace(e.level, e.start, e.end, e.nodes);
    for (const auto& e : whole.events) spans.emplace(e.level, e.start, e.end, e.nodes);
    EXPECT_EQ(ended, spans);
    EXPECT_TRUE(at::allclose(logits(graph), logits(whole.graph), 1e-5, 1e-5));
  }
}

/// A change that came about while steps were lost is divided by the root of the time that it took.
TEST(TimeGraphs, ChangesOverLostStepsAreInTheirSpread) {
  const EventModel& model = *learnt(1);
  for (const double steps : {0.5, 1.0, 4.0, 9.0}) {
    EventHierarchy hierarchy(learnt(1), {});
    Scene scene = scenes_of(12)[0];
    hierarchy.push(scene);
    scene.time += steps * model.unit;
    scene.nodes[0].x[0] += 0.3f;
    hierarchy.push(scene);
    const EventGraph graph = hierarchy.graph();
    const std::size_t width = graph.features.size() / graph.nodes.size(), f = scene.nodes[0].x.size();
    const float* node = graph.features.data() + static_cast<std::size_t>(graph.targets[0]) * width;
    EXPECT_NEAR(node[f], model.scaled(f, 0.3f / static_cast<float>(std::sqrt(std::max(1.0, steps)))), 1e-5)
        << steps;
  }
}

TEST(TimeGraphs, NamesAndTheOrderOfNodesDoNotMatter) {
  auto scenes = scenes_of(8);
  EventHierarchy one(learnt(1), {}), two(learnt(1), {});
  for (const Scene& scene : scenes) {
    one.push(scene);
    Scene other = scene;
    const auto last = static_cast<std::int32_t>(scene.nodes.size()) - 1;
    std::reverse(other.nodes.begin(), other.nodes.end());
    for (SceneNode& node : other.nodes) node.id = "other " + node.id;
    for (SceneEdge& edge : other.edges) edge.src = last - edge.src, edge.dst = last - edge.dst;
    std::reverse(other.edges.begin(), other.edges.end());
    two.push(other);
  }
  const auto of = [](EventHierarchy& hierarchy, std::size_t skip) {
    hierarchy.finish();
    std::multiset<std::tuple<std::int64_t, std::string, double, double>> out;
    for (const EndedEvent& e : hierarchy.take_ended())
      out.emplace(e.level, e.entity.substr(skip), e.start, e.end);
    return out;
  };
  const at::Tensor first = logits(one.graph()), second = logits(two.graph());
  EXPECT_EQ(of(one, 0), of(two, 6));
  EXPECT_TRUE(at::allclose(first, second, 1e-5, 1e-5));
}

TEST(TimeGraphs, WhatFollowsChangesNoDecisionThatWasDue) {
  for (const std::int64_t delay : {0, 1, 2}) {
    auto scenes = scenes_of(9);
    const auto before = promoted(scenes, delay);
    constexpr std::int64_t kCut = 60;
    const auto others = scenes_of(10);
    for (std::size_t t = kCut + 1; t < scenes.size(); ++t) scenes[t] = others[t];
    const auto after = promoted(scenes, delay);
    const auto due = [&](const std::set<Key4>& all) {
      std::set<Key4> some;
      for (const auto& p : all)
        if (std::get<1>(p) <= kCut - delay) some.insert(p);
      return some;
    };
    EXPECT_EQ(due(before), due(after));
    EXPECT_NE(before, after);
  }
}

TEST(TimeGraphs, ResumingIsExact) {
  const auto scenes = scenes_of(11);
  EventHierarchy whole(learnt(2), {.horizon = 4, .most_events = 12});
  for (const Scene& scene : scenes) whole.push(scene);
  for (const std::size_t cut : {1u, 2u, 5u, 50u, 100u}) {
    EventHierarchy first(learnt(2), {.horizon = 4, .most_events = 12}),
        second(learnt(2), {.horizon = 4, .most_events = 12});
    for (std::size_t t = 0; t < cut; ++t) first.push(scenes[t]);
    Archive state;
    first.save(state);
    second.load(state);
    for (std::size_t t = cut; t < scenes.size(); ++t) second.push(scenes[t]);
    EXPECT_TRUE(at::equal(logits(whole.graph()), logits(second.graph())));
  }
}

TEST(TimeGraphs, DamagedStatesAreRefused) {
  EventHierarchy hierarchy(learnt(1), {});
  for (const Scene& scene : scenes_of(11)) hierarchy.push(scene);
  Archive state;
  hierarchy.save(state);
  for (const char* array : {"h", "links", "t1"}) {
    Archive cut = state;
    Archive level = state.group("level_1");
    if (std::string(array) == "links")
      level.set("links", std::vector<std::int64_t>{std::int64_t{1} << 60});
    else if (std::string(array) == "h")
      level.set("h", std::vector<float>{1});
    else
      level.set("t1", std::vector<double>{});
    cut.put("level_1", std::make_shared<Archive>(level));
    EventHierarchy other(learnt(1), {});
    EXPECT_THROW(other.load(cut), Error) << array;
  }
}

TEST(TimeGraphs, MemoryIsBounded) {
  EventHierarchy hierarchy(learnt(1), {.horizon = 4, .most_events = 50});
  std::vector<std::size_t> bytes;
  std::size_t most = 0;
  Random random(3);
  for (int round = 0; round < 6; ++round) {
    for (Scene scene : scenes_of(20)) {
      scene.time += 200.0 * round;
      for (SceneNode& node : scene.nodes) node.id += std::to_string(round / 2);  // everybody leaves at times
      hierarchy.push(scene);
      most = std::max(most, hierarchy.bytes());
    }
    bytes.push_back(most);
  }
  EXPECT_LT(static_cast<double>(bytes.back()), 1.1 * static_cast<double>(bytes[2]));
}

TEST(TimeGraphs, AdaptiveThresholdsKeepTheirShareWhereTheStreamChanges) {
  const auto many = games(6, 21);
  const auto share = [&](bool adaptive) {
    EventHierarchy hierarchy(learnt(1), {.adaptive = adaptive});
    std::vector<EventHierarchy::Promoted> all;
    hierarchy.promotions = &all;
    double nodes = 0, count = 0, time = 0;
    for (const Game& game : many)
      for (Scene scene : game.scenes) {
        scene.time = time++;
        for (SceneNode& node : scene.nodes)
          for (float& x : node.x) x *= 3;  // all is three times as fast
        hierarchy.push(scene);
        if (time > 220) nodes += static_cast<double>(scene.nodes.size());
      }
    for (const auto& p : all) count += p.level == 1 && p.step >= 220 ? 1 : 0;
    return count / nodes;
  };
  const double fixed = std::abs(share(false) - 0.2), adapted = std::abs(share(true) - 0.2);
  EXPECT_LT(adapted, 0.05);
  EXPECT_LT(adapted, fixed);
}

TEST(TimeGraphs, AdaptiveThresholdsFollowTheQuantileOfTheLastAffinities) {
  EventHierarchy hierarchy(learnt(1), {.adaptive = true});
  std::vector<EventHierarchy::Promoted> all;
  hierarchy.scores = &all;
  double time = 0;
  for (const Game& game : games(8, 23))
    for (Scene scene : game.scenes) scene.time = time++, hierarchy.push(scene);
  std::vector<float> last;
  for (auto p = all.rbegin(); p != all.rend() && last.size() < 2000; ++p)
    if (p->level == 0) last.push_back(p->affinity);
  std::sort(last.begin(), last.end());
  const auto share = [&](float threshold) {
    return static_cast<double>(last.end() - std::upper_bound(last.begin(), last.end(), threshold)) /
           static_cast<double>(last.size());
  };
  EXPECT_NEAR(share(hierarchy.thresholds()[0]), 0.2, 0.05);
}

TEST(TimeGraphs, EachNodeSaysHowManyOfItsEntitysEventsBeganSince) {
  EventHierarchy hierarchy(learnt(1), {.horizon = 6});
  for (const Scene& scene : scenes_of(7)) hierarchy.push(scene);
  const EventGraph graph = hierarchy.graph();
  const std::size_t width = graph.features.size() / graph.nodes.size();
  std::set<std::int64_t> levels;
  std::size_t most = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    double later = 0;
    for (const auto& other : graph.nodes)
      later += other.level == graph.nodes[i].level && other.entity == graph.nodes[i].entity &&
                       other.step > graph.nodes[i].step
                   ? 1
                   : 0;
    if (later > 1) levels.insert(graph.nodes[i].level);
    const float* said = graph.features.data() + (i + 1) * width - EventGraph::kLater;
    EXPECT_FLOAT_EQ(said[0], static_cast<float>(std::log1p(later)));
    std::set<double> starts{graph.nodes[i].start};
    for (const auto& other : graph.nodes)
      if (other.level == graph.nodes[i].level && other.entity == graph.nodes[i].entity &&
          other.step > graph.nodes[i].step)
        starts.insert(other.start);
    std::size_t bursts = 0;
    for (auto at = std::next(starts.begin()); at != starts.end(); ++at)
      bursts += *at - *std::prev(at) > EventGraph::kBurst + 0.5 ? 1 : 0;
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(said[1 + k], bursts == k ? 1.f : 0.f);
    most = std::max(most, bursts);
  }
  EXPECT_EQ(levels.size(), 3u);
  EXPECT_GT(most, 1u);
}

/// Of two acts, seconds 0 to 2 and 7 to 9, some steps are lost: they are two bursts all the same, whatever
/// the numbers of the steps that are left.
TEST(TimeGraphs, LostStepsNeitherJoinNorSplitBursts) {
  constexpr double kUnit = 0.5;
  for (const std::vector<double>& starts :
       {std::vector<double>{0, 1, 2, 7, 8, 9}, {0, 2, 7, 9}, {2, 7}, {1, 2, 8}}) {
    EventGraph graph;
    for (std::size_t i = 0; i < starts.size(); ++i)
      graph.nodes.push_back({1, 0, "a", static_cast<std::int64_t>(i), kUnit * starts[i], kUnit * starts[i]});
    graph.features.assign(starts.size() * EventGraph::kAges, 0);
    graph.count_later(kUnit);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const float* bursts = graph.features.data() + (i + 1) * EventGraph::kAges - EventGraph::kLater + 1;
      EXPECT_EQ(bursts[0], starts[i] > 5 ? 1.f : 0.f) << starts.size() << " " << starts[i];
      EXPECT_EQ(bursts[1], starts[i] > 5 ? 0.f : 1.f) << starts.size() << " " << starts[i];
    }
  }
}

TEST(TimeGraphs, AnOlderHeadReadsTheAgesThatItKnows) {
  EventHierarchy hierarchy(learnt(1), {.horizon = 6});
  for (const Scene& scene : scenes_of(7)) hierarchy.push(scene);
  EventGraph graph = hierarchy.graph();
  HeadShape shape = head_shape(*learnt(1), Asked{{"a"}, false, false, {}});
  --shape.features;
  const ReasoningHead head(shape, 5);
  const auto said = [&] {
    const EventGraph* one = &graph;
    return nn::inference([&] { return head.forward(batch_of(std::span(&one, 1), shape)).logits; });
  };
  const at::Tensor before = said();
  const std::size_t width = graph.features.size() / graph.nodes.size();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) graph.features[(i + 1) * width - 1] = 9;
  EXPECT_TRUE(at::equal(said(), before));
  --graph.features[width - 2];
  EXPECT_FALSE(at::equal(said(), before));
}

}  // namespace
}  // namespace stream::events
