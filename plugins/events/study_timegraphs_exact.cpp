#include "events/study_timegraphs_exact.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "events/event_pretraining.hpp"
#include "events/pitch_world.hpp"
#include "events/timegraphs_model.hpp"
#include "events/whole_hierarchy.hpp"
#include "nn/device.hpp"

namespace stream::events {

namespace {

std::vector<Game> games(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  PitchOptions o;
  o.steps = 120, o.most_gap = 25;
  std::vector<Game> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(play_pitch(o, random));
  return out;
}

using Promotions = std::set<std::tuple<std::int64_t, std::int64_t, std::int32_t>>;  // level, step, entity

Promotions promoted(const std::vector<Scene>& scenes, const std::shared_ptr<const EventModel>& model) {
  EventHierarchy hierarchy(model, {});
  std::vector<EventHierarchy::Promoted> all;
  hierarchy.promotions = &all;
  for (const Scene& scene : scenes) hierarchy.push(scene);
  Promotions out;
  for (const auto& p : all) out.emplace(p.level, p.step, p.entity);
  return out;
}

std::set<std::int64_t> busy_steps(const Game& game) {
  std::set<std::int64_t> out;
  for (const Act& act : game.acts)
    for (std::int64_t k = 0; k < 3; ++k) out.insert(act.step + k);
  return out;
}

at::Tensor logits(const EventGraph& graph, const EventModel& model, std::uint64_t seed) {
  const EventGraph* one = &graph;
  const HeadShape shape = head_shape(model, Asked{{"a", "b"}, false, false, {}});
  const ReasoningHead head(shape, seed);
  return nn::inference([&] { return head.forward(batch_of(std::span(&one, 1), shape)).logits; });
}

double apart(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

std::shared_ptr<const EventModel> TimeGraphsExactPart::learnt(std::int64_t delay) const {
  auto& known = models_[delay];
  if (known) return known;
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (Game& game : games(6, seed_ + 1)) streams->push_back(std::move(game.scenes));
  PretrainingOptions o;
  o.delay = delay, o.steps = 30, o.batch = 2;
  EventPretraining learning(pitch_vocabulary(), streams, o, seed_ + 2);
  while (!learning.finished()) learning.step();
  return known = learning.model();
}

void TimeGraphsExactPart::stream_and_log() {
  for (const std::int64_t delay : {0, 1, 2}) {
    const auto model = learnt(delay);
    bool sets = true, spans = true;
    double logit = 0, count = 0;
    for (const Game& game : games(3, seed_ + 3)) {
      EventHierarchy hierarchy(model, {});
      std::vector<EventHierarchy::Promoted> all;
      hierarchy.promotions = &all;
      for (const Scene& scene : game.scenes) hierarchy.push(scene);
      const WholeHierarchy whole = whole_hierarchy(game.scenes, *model, 8);
      Promotions stream, log;
      for (const auto& p : all) stream.emplace(p.level, p.step, p.entity);
      for (const auto& e : whole.events) log.emplace(e.level, e.step, e.entity);
      sets = sets && stream == log, count += static_cast<double>(log.size());
      logit = std::max(logit,
                       apart(logits(hierarchy.graph(), *model, seed_), logits(whole.graph, *model, seed_)));
      hierarchy.finish();
      std::multiset<std::tuple<std::int64_t, double, double, std::int64_t>> a, b;
      for (const EndedEvent& e : hierarchy.take_ended()) a.emplace(e.level, e.start, e.end, e.nodes);
      for (const auto& e : whole.events) b.emplace(e.level, e.start, e.end, e.nodes);
      spans = spans && a == b;
    }
    const std::string of = "delay " + std::to_string(delay) + ": ";
    records_.push_back(
        claim(of + quantity(count) + " events of a stream against those of its whole log, and their spans",
              Value(), "the same", sets && spans ? "the same" : "others", "the same", sets && spans));
    records_.push_back(claim(of + "logits from the stream's graph against the log's, greatest difference",
                             Value(), Value(), logit, "<= 1e-5", logit <= 1e-5));
  }
}

void TimeGraphsExactPart::names_and_order() {
  const auto model = learnt(1);
  EventHierarchy one(model, {}), two(model, {});
  const Game game = games(1, seed_ + 4)[0];
  for (const Scene& scene : game.scenes) {
    one.push(scene);
    Scene other = scene;
    const auto last = static_cast<std::int32_t>(scene.nodes.size()) - 1;
    std::reverse(other.nodes.begin(), other.nodes.end());
    for (SceneNode& node : other.nodes) node.id = "n" + std::to_string(stable_hash(node.id) % 1000003);
    for (SceneEdge& edge : other.edges) edge.src = last - edge.src, edge.dst = last - edge.dst;
    two.push(other);
  }
  const double difference = apart(logits(one.graph(), *model, seed_), logits(two.graph(), *model, seed_));
  records_.push_back(
      claim("logits when nodes have other names and stand in another order, greatest difference", Value(),
            Value(), difference, "<= 1e-5", difference <= 1e-5));
}

void TimeGraphsExactPart::other_futures() {
  bool same = true, moved = false;
  for (const std::int64_t delay : {0, 1, 2}) {
    const auto model = learnt(delay);
    auto both = games(2, seed_ + 5);
    const auto before = promoted(both[0].scenes, model);
    for (std::size_t t = 70; t < both[0].scenes.size(); ++t) both[0].scenes[t] = both[1].scenes[t];
    const auto after = promoted(both[0].scenes, model);
    const auto due = [&](const Promotions& all) {
      Promotions some;
      for (const auto& p : all)
        if (std::get<1>(p) < 70 - delay) some.insert(p);
      return some;
    };
    same = same && due(before) == due(after), moved = moved || before != after;
  }
  records_.push_back(claim("promotions that were due when all that follows becomes another game's", Value(),
                           "the same", same ? "the same" : "others", "the same", same && moved));
}

void TimeGraphsExactPart::doubled_quiet_steps() {
  const auto model = learnt(1);
  double changed = 0, count = 0;
  for (const Game& game : games(4, seed_ + 6)) {
    const auto busy = busy_steps(game);
    std::vector<Scene> doubled;
    std::vector<std::int64_t> was;
    for (std::size_t t = 0; t < game.scenes.size(); ++t) {
      const auto put = [&](Scene scene) {
        scene.time = static_cast<double>(doubled.size());
        doubled.push_back(std::move(scene)), was.push_back(static_cast<std::int64_t>(t));
      };
      put(game.scenes[t]);
      if (busy.contains(static_cast<std::int64_t>(t)) || busy.contains(static_cast<std::int64_t>(t) + 1))
        continue;
      Scene still = game.scenes[t];
      for (SceneNode& node : still.nodes) node.x[2] = node.x[3] = 0;
      put(std::move(still));
    }
    const auto at_acts = [&](const Promotions& all, bool mapped) {
      Promotions some;
      for (auto [level, step, entity] : all) {
        if (mapped) step = was[static_cast<std::size_t>(step)];
        if (busy.contains(step)) some.emplace(level, step, entity);
      }
      return some;
    };
    const auto before = at_acts(promoted(game.scenes, model), false),
               after = at_acts(promoted(doubled, model), true);
    std::vector<Promotions::value_type> differing;
    std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                  std::back_inserter(differing));
    changed += static_cast<double>(differing.size()), count += static_cast<double>(before.size());
  }
  const double share = changed / std::max(1.0, count);
  records_.push_back(
      claim("events at acts that differ when every quiet step is followed by one without motion, of " +
                quantity(count),
            Value(), Value(), share, "<= 0.05", share <= 0.05));
}

void TimeGraphsExactPart::acts_replaced() {
  const auto model = learnt(1);
  double with = 0, without = 0;
  for (Game& game : games(4, seed_ + 7)) {
    const auto busy = busy_steps(game);
    const auto share = [&](const std::vector<Scene>& scenes) {
      double count = 0;
      for (const auto& [level, step, entity] : promoted(scenes, model))
        if (level == 2 && busy.contains(step)) ++count;
      return count;
    };
    with += share(game.scenes);
    // The quiet steps before take the place of those with acts, there and back.
    std::int64_t quiet = 0, since = 0;
    std::vector<Scene> calm = game.scenes;
    for (std::size_t t = 0; t < calm.size(); ++t) {
      if (!busy.contains(static_cast<std::int64_t>(t))) {
        quiet = static_cast<std::int64_t>(t), since = 0;
        continue;
      }
      calm[t] = game.scenes[static_cast<std::size_t>(std::max<std::int64_t>(0, quiet - (++since) % 2))];
      calm[t].time = static_cast<double>(t);
    }
    without += share(calm);
  }
  records_.push_back(
      claim("events of level 2 on steps with acts, against the same steps with quiet ones in their place",
            Value(), without, with, ">= 2 x", with >= 2 * without && with > 0));
}

void TimeGraphsExactPart::work_of_a_step() {
  const auto model = learnt(1);
  EventHierarchy hierarchy(model, {});
  Random random(seed_ + 8);
  std::vector<double> work;
  std::int64_t before = 0;
  double time = 0;
  while (hierarchy.steps() < 5000) {
    PitchOptions o;
    o.steps = 500, o.most_gap = 60;
    for (Scene scene : play_pitch(o, random).scenes) {
      scene.time = time++;
      hierarchy.push(scene);
      hierarchy.take_ended();
      if (hierarchy.steps() % 500 != 0) continue;
      work.push_back(static_cast<double>(hierarchy.work() - before) / 500);
      before = hierarchy.work();
    }
  }
  const double ratio = work.back() / work.front();
  records_.push_back(claim(
      "work of a step (nodes, neighbours and links looked at), steps 4500 to 5000 against the first 500",
      Value(), work.front(), work.back(), "within 20 %", std::abs(ratio - 1) <= 0.2));
}

void TimeGraphsExactPart::measure() {
  stream_and_log();
  names_and_order();
  other_futures();
  work_of_a_step();
  const auto exact = static_cast<std::ptrdiff_t>(records_.size());
  doubled_quiet_steps();
  acts_replaced();
  if (quick_) {
    const std::vector<Object> figures = unjudged({records_.begin() + exact, records_.end()});
    std::copy(figures.begin(), figures.end(), records_.begin() + exact);
  }
}

}  // namespace stream::events
