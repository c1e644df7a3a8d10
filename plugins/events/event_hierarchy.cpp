#include "events/event_hierarchy.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream::events {

EventHierarchy::EventHierarchy(std::shared_ptr<const EventModel> model, HierarchyOptions options)
    : model_(std::move(model)), options_(options), threshold_(model_->threshold) {}

EventHierarchy::Event* EventHierarchy::Level::find(std::int64_t number) {
  const auto at = events.find(number);
  return at == events.end() ? nullptr : &at->second;
}
const EventHierarchy::Event* EventHierarchy::Level::find(std::int64_t number) const {
  const auto at = events.find(number);
  return at == events.end() ? nullptr : &at->second;
}

const EventHierarchy::Step* EventHierarchy::find_step(std::int64_t step) const {
  if (window_.empty() || step < window_.front().step || step > window_.back().step) return nullptr;
  return &window_[static_cast<std::size_t>(step - window_.front().step)];
}
EventHierarchy::Step* EventHierarchy::find_step(std::int64_t step) {
  return const_cast<Step*>(std::as_const(*this).find_step(step));
}

std::ptrdiff_t EventHierarchy::find(const Step* step, std::int32_t entity) {
  if (!step) return -1;
  const auto at =
      std::lower_bound(step->order.begin(), step->order.end(), std::pair(entity, std::int32_t{-1}));
  return at != step->order.end() && at->first == entity ? at->second : -1;
}

EventHierarchy::Node EventHierarchy::node_of(const SceneNode& node, double time) {
  const auto [at, fresh] = ids_.try_emplace(node.id, next_entity_);
  if (fresh) entities_[next_entity_++] = Entity{node.id, node.type, kNobody, 0, node.x, {kNobody, kNobody}};
  Entity& entity = entities_[at->second];
  const std::size_t f = node.x.size();
  Node out;
  out.entity = at->second;
  out.before = entity.seen;
  const float spell = out.before == kNobody ? 1 : model_->spell(time - entity.time);
  out.inputs.resize(model_->inputs());
  for (std::size_t i = 0; i < f; ++i) {
    out.inputs[i] = model_->scaled(i, node.x[i]);
    out.inputs[f + i] = model_->scaled(f + i, (node.x[i] - entity.x[i]) / spell);
  }
  out.inputs[2 * f + static_cast<std::size_t>(node.type)] = 1;
  entity.type = node.type, entity.seen = step_, entity.time = time, entity.x = node.x;
  return out;
}

void EventHierarchy::convolve(Step& step) const {
  const std::size_t relations = model_->relations(), n = step.nodes.size();
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const RelationalMaps& maps = model_->convolution[layer];
    const auto from = [&](const Node& node) {
      return layer == 0 ? node.inputs.data() + model_->skipped() : node.once.data();
    };
    const std::size_t in = maps.self.in, out = maps.self.out;
    std::vector<float> means(n * relations * in);
    std::vector<std::int32_t> counts(n * relations);
    const auto send = [&](std::size_t to, std::size_t relation, const Node& node) {
      float* mean = means.data() + (to * relations + relation) * in;
      for (std::size_t i = 0; i < in; ++i) mean[i] += from(node)[i];
      ++counts[to * relations + relation];
    };
    for (const SceneEdge& edge : step.edges) {
      const auto src = static_cast<std::size_t>(edge.src), dst = static_cast<std::size_t>(edge.dst),
                 r = static_cast<std::size_t>(edge.relation);
      send(dst, 2 * r, step.nodes[src]), send(src, 2 * r + 1, step.nodes[dst]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      Node& node = step.nodes[i];
      const Step* past = find_step(node.before);
      if (const auto at = find(past, node.entity); at >= 0)
        send(i, relations - 1, past->nodes[static_cast<std::size_t>(at)]);
      std::vector<float> y(out);
      maps.self.add(from(node), y.data());
      for (std::size_t r = 0; r < relations; ++r) {
        const std::int32_t count = counts[i * relations + r];
        if (count == 0) continue;
        float* mean = means.data() + (i * relations + r) * in;
        for (std::size_t k = 0; k < in; ++k) mean[k] /= static_cast<float>(count);
        maps.relations[r].add(mean, y.data());
      }
      for (float& value : y) value = std::max(value, 0.f);
      if (layer == 0) {
        node.once = std::move(y);
      } else {
        node.features = node.inputs;
        node.features.insert(node.features.end(), y.begin(), y.end());
      }
    }
  }
}

template <typename F>
void EventHierarchy::neighbours(const Step& step, std::size_t index, F&& f) const {
  const Node& node = step.nodes[index];
  const auto one = [&](const Node& other) {
    ++work_;
    f(other, 1 / std::sqrt(static_cast<float>(node.degree) * static_cast<float>(other.degree)));
  };
  for (const std::int32_t other : step.beside[index]) one(step.nodes[static_cast<std::size_t>(other)]);
  const Step* past = find_step(node.before);
  if (const auto at = find(past, node.entity); at >= 0) one(past->nodes[static_cast<std::size_t>(at)]);
  if (model_->delay == 0) return;
  const Step* next = find_step(step.step + 1);
  if (const auto at = find(next, node.entity); at >= 0) one(next->nodes[static_cast<std::size_t>(at)]);
}

void EventHierarchy::sum_neighbours(Step& step) const {
  for (std::size_t i = 0; i < step.nodes.size(); ++i) {
    std::vector<float> sum(model_->embedded());
    neighbours(step, i, [&](const Node& other, float weight) {
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += weight * other.embedding[k];
    });
    step.nodes[i].sum = std::move(sum);
  }
}

/// A A E, without what comes back to the node itself: with it, a node would foretell itself.
void EventHierarchy::sum_twice(Step& step) const {
  for (std::size_t i = 0; i < step.nodes.size(); ++i) {
    std::vector<float> sum(model_->embedded());
    const Node& self = step.nodes[i];
    neighbours(step, i, [&](const Node& other, float weight) {
      for (std::size_t k = 0; k < sum.size(); ++k)
        sum[k] += weight * (other.sum[k] - weight * self.embedding[k]);
    });
    step.nodes[i].twice = std::move(sum);
  }
}

bool EventHierarchy::promoted(std::size_t level, float affinity, std::int64_t step, std::int32_t entity) {
  const double keep = model_->keep[level];
  const auto period = [&](std::size_t l) {
    return std::max<std::int64_t>(1, std::llround(1 / model_->keep[l]));
  };
  switch (options_.promotion) {
    case Promotion::kNone:
      return false;
    case Promotion::kRandom: {
      Random random(stable_hash(std::to_string(step) + " " + std::to_string(entity), options_.seed + level));
      return random.uniform() < keep;
    }
    case Promotion::kUniform:
      return level == 0 ? step % period(0) == 0 : step / period(0) % period(1) == 0;
    case Promotion::kAffinity:
      break;
  }
  float& threshold = threshold_[level];
  const bool above = affinity > threshold;
  if (options_.adaptive) {
    // A quantile by stochastic approximation, with steps that follow how far affinities lie from it: about
    // the last thousand count. One number in place of the five markers of P2 (Jain and Chlamtac, CACM 1985),
    // whose counts grow with the stream and would have to be aged one by one to forget.
    constexpr double kRate = 0.002;
    const double distance = std::abs(static_cast<double>(affinity) - static_cast<double>(threshold));
    spread_[level] += kRate * (std::min(distance, 10 * spread_[level]) - spread_[level]);
    threshold += static_cast<float>(4 * kRate * spread_[level] * ((above ? 1 : 0) - keep));
  }
  return above;
}

void EventHierarchy::end_event(std::size_t level, const Event& event) {
  const Entity& entity = entities_.at(event.entity);
  ended_.push_back({static_cast<std::int64_t>(level) + 1, entity.id, entity.type, event.start, event.end,
                    event.nodes, event.affinity});
}

std::int64_t EventHierarchy::begin_event(std::size_t level, Event event) {
  std::int64_t& latest = entities_.at(event.entity).latest[level];
  if (const Event* before = levels_[level].find(latest)) end_event(level, *before);
  event.before = latest;
  if (promotions)
    promotions->push_back({static_cast<std::int64_t>(level) + 1, event.step, event.entity, event.affinity});
  latest = levels_[level].next++;
  levels_[level].events.emplace(latest, std::move(event));
  return latest;
}

void EventHierarchy::absorb(std::size_t level, Event& event, double until, std::int64_t nodes) {
  event.end = std::max(event.end, until);
  event.nodes += nodes;
  if (level == 0)
    if (Event* parent = levels_[1].find(event.parent)) absorb(1, *parent, until, nodes);
}

void EventHierarchy::link(std::size_t level, std::int64_t from, std::int64_t to, std::int32_t relation) {
  if (from == to || !levels_[level].find(from) || !levels_[level].find(to)) return;
  // Held by the newer one: as many as there are entities and relations beside it, at the most.
  const Link link{relation, std::min(from, to), from > to};
  auto& links = levels_[level].find(std::max(from, to))->links;
  work_ += static_cast<std::int64_t>(links.size()) + 1;
  if (std::find(links.begin(), links.end(), link) == links.end()) links.push_back(link);
}

void EventHierarchy::decide(Step& step) {
  const std::size_t embedded = model_->embedded();
  std::vector<std::int64_t> fresh;
  std::vector<float> around(embedded);
  const auto latest = [&](std::int32_t node, std::size_t level) {
    const auto at = entities_.find(step.nodes[static_cast<std::size_t>(node)].entity);
    return at == entities_.end() ? kNobody : at->second.latest[level];
  };
  for (Node& node : step.nodes) {
    const auto entity = entities_.find(node.entity);
    if (entity == entities_.end()) continue;
    for (std::size_t k = 0; k < embedded; ++k)
      around[k] = model_->delay < 2 ? node.sum[k] : (node.sum[k] + node.twice[k]) / 2;
    const float affinity = model_->pool[0].affinity(node.embedding.data(), around.data());
    if (scores) scores->push_back({0, step.step, node.entity, affinity});
    if (promoted(0, affinity, step.step, node.entity)) {
      Event event;
      event.entity = node.entity, event.id = entity->second.id, event.step = step.step;
      event.start = event.end = step.time, event.affinity = affinity;
      event.features = node.features;
      for (float& value : event.features) value *= affinity;
      node.parent = begin_event(0, std::move(event));
      fresh.push_back(node.parent);
    } else if (Event* absorber = levels_[0].find(entity->second.latest[0])) {
      node.parent = entity->second.latest[0];
      absorb(0, *absorber, step.time, 1);
    }
  }
  for (const SceneEdge& edge : step.edges) link(0, latest(edge.src, 0), latest(edge.dst, 0), edge.relation);
  score_events(step, fresh);
  for (const SceneEdge& edge : step.edges) {
    const Event *src = levels_[0].find(latest(edge.src, 0)), *dst = levels_[0].find(latest(edge.dst, 0));
    if (src && dst) link(1, src->parent, dst->parent, edge.relation);
  }
}

/// Events of level 1 are scored when they begin, by the entity's event before and those beside them.
void EventHierarchy::score_events(const Step& step, const std::vector<std::int64_t>& fresh) {
  std::vector<std::vector<std::int64_t>> beside(fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    Event& event = *levels_[0].find(fresh[i]);
    event.embedding.resize(model_->embedded());
    model_->pool[1].embedding(event.features.data() + model_->skipped(), event.embedding.data());
    auto& others = beside[i];
    if (levels_[0].find(event.before)) others.push_back(event.before);
    const auto index = static_cast<std::size_t>(find(&step, event.entity));
    for (const std::int32_t node : step.beside[index]) {
      const auto entity = entities_.find(step.nodes[static_cast<std::size_t>(node)].entity);
      if (entity == entities_.end()) continue;
      const std::int64_t number = entity->second.latest[0];
      if (levels_[0].find(number) && std::find(others.begin(), others.end(), number) == others.end())
        others.push_back(number);
    }
    event.degree = std::max<std::int32_t>(1, static_cast<std::int32_t>(others.size()));
  }
  std::vector<float> around(model_->embedded());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    Event& event = *levels_[0].find(fresh[i]);
    std::fill(around.begin(), around.end(), 0.f);
    Level1Sample sample{event.step, event.entity, event.affinity, {}};
    work_ += static_cast<std::int64_t>(beside[i].size());
    for (const std::int64_t number : beside[i]) {
      const Event& other = *levels_[0].find(number);
      const float weight = 1 / std::sqrt(static_cast<float>(event.degree) * static_cast<float>(other.degree));
      for (std::size_t k = 0; k < around.size(); ++k) around[k] += weight * other.embedding[k];
      if (level1) sample.neighbours.push_back({other.step, other.entity, weight});
    }
    if (level1) level1->push_back(std::move(sample));
    const float affinity = model_->pool[1].affinity(event.embedding.data(), around.data());
    if (scores) scores->push_back({1, event.step, event.entity, affinity});
    if (promoted(1, affinity, event.step, event.entity)) {
      Event above;
      above.entity = event.entity, above.id = event.id, above.step = event.step;
      above.start = event.start, above.end = event.end;
      above.nodes = event.nodes, above.affinity = affinity;
      above.features = event.features;
      for (float& value : above.features) value *= affinity;
      event.parent = begin_event(1, std::move(above));
    } else {
      event.parent = entities_.at(event.entity).latest[1];
      if (Event* absorber = levels_[1].find(event.parent)) absorb(1, *absorber, event.end, event.nodes);
    }
  }
}

void EventHierarchy::push(const Scene& scene) {
  Step step;
  step.step = step_, step.time = time_ = scene.time;
  step.edges = scene.edges;
  step.beside.resize(scene.nodes.size());
  for (const SceneEdge& edge : scene.edges) {
    if (edge.src == edge.dst) continue;
    step.beside[static_cast<std::size_t>(edge.src)].push_back(edge.dst);
    step.beside[static_cast<std::size_t>(edge.dst)].push_back(edge.src);
  }
  for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
    Node node = node_of(scene.nodes[i], scene.time);
    node.degree =
        std::max<std::int32_t>(1, static_cast<std::int32_t>(step.beside[i].size()) +
                                      (node.before != kNobody ? 1 : 0) + (model_->delay > 0 ? 1 : 0));
    node.embedding.resize(model_->embedded());
    model_->pool[0].embedding(node.inputs.data() + model_->skipped(), node.embedding.data());
    step.order.emplace_back(node.entity, static_cast<std::int32_t>(i));
    step.nodes.push_back(std::move(node));
  }
  std::sort(step.order.begin(), step.order.end());
  work_ += static_cast<std::int64_t>(step.nodes.size() + step.edges.size());
  convolve(step);
  window_.push_back(std::move(step));
  ++step_;
  const std::int64_t newest = step_ - 1, delay = model_->delay;
  if (Step* complete = find_step(newest - (delay > 0 ? 1 : 0))) sum_neighbours(*complete);
  if (Step* due = find_step(newest - delay)) {
    if (delay == 2) sum_twice(*due);
    decide(*due);
  }
  evict();
}

void EventHierarchy::evict() {
  const auto kept = static_cast<std::size_t>(kept_steps(options_.horizon, model_->delay));
  while (window_.size() > kept) window_.pop_front();
  const std::int64_t oldest = window_.front().step;
  for (auto at = entities_.begin(); at != entities_.end();) {
    if (at->second.seen >= oldest) {
      ++at;
      continue;
    }
    for (std::size_t level = 0; level < 2; ++level)
      if (const Event* open = levels_[level].find(at->second.latest[level])) end_event(level, *open);
    ids_.erase(at->second.id);
    at = entities_.erase(at);
  }
  const auto open = [&](std::size_t level, std::int64_t number, const Event& event) {
    const auto at = entities_.find(event.entity);
    return at != entities_.end() && at->second.latest[level] == number;
  };
  auto& first = levels_[0].events;
  for (auto at = first.begin(); at != first.end() && at->second.step < step_ - 10 * options_.horizon;)
    at = open(0, at->first, at->second) ? std::next(at) : first.erase(at);
  auto& second = levels_[1].events;
  while (static_cast<std::int64_t>(second.size()) > options_.most_events) {
    const auto oldest_event = second.begin();
    if (open(1, oldest_event->first, oldest_event->second)) end_event(1, oldest_event->second);
    second.erase(oldest_event);
  }
}

std::vector<EndedEvent> EventHierarchy::take_ended() { return std::exchange(ended_, {}); }

void EventHierarchy::finish() {
  for (auto& [number, entity] : entities_)
    for (std::size_t level = 0; level < 2; ++level)
      if (const Event* open = levels_[level].find(entity.latest[level])) {
        end_event(level, *open);
        entity.latest[level] = kNobody;
      }
}

EventGraph EventHierarchy::graph() const {
  EventGraph graph;
  const std::size_t scene_relations = model_->vocabulary.relations.size();
  const auto relation = [&](std::size_t level, std::size_t r) {
    return static_cast<std::int32_t>(level * (2 * scene_relations + 2) + r);
  };
  const auto across = [&](std::size_t level, std::size_t up) {
    return static_cast<std::int32_t>(3 * (2 * scene_relations + 2) + 2 * level + up);
  };
  const auto add = [&](std::size_t level, std::int32_t entity, const std::string& id, std::int64_t step,
                       double start, double end, std::int64_t nodes, const std::vector<float>& features) {
    const auto log = [](double value) { return static_cast<float>(std::log1p(std::max(0.0, value))); };
    graph.features.insert(graph.features.end(), features.begin(), features.end());
    graph.features.push_back(log((time_ - start) / model_->unit));
    graph.features.push_back(log((end - start) / model_->unit));
    graph.features.push_back(log(static_cast<double>(nodes - 1)));
    graph.features.insert(graph.features.end(), EventGraph::kLater, 0);  // until all nodes are there
    graph.nodes.push_back({static_cast<std::int32_t>(level), entity, id, step, start, end});
    return static_cast<std::int32_t>(graph.nodes.size() - 1);
  };
  const auto join = [&](std::int32_t src, std::int32_t dst, std::int32_t forward, std::int32_t back) {
    const double apart = std::abs(graph.nodes[static_cast<std::size_t>(src)].start -
                                  graph.nodes[static_cast<std::size_t>(dst)].start);
    const auto distance = static_cast<float>(std::log1p(apart / model_->unit));
    graph.edges.push_back({src, dst, forward, distance});
    graph.edges.push_back({dst, src, back, distance});
  };
  std::array<std::unordered_map<std::int64_t, std::int32_t>, 2> indices;
  const auto index_of = [&](std::size_t level, std::int64_t number) {
    const auto at = indices[level].find(number);
    return at == indices[level].end() ? std::int32_t{-1} : at->second;
  };
  for (std::size_t level = 2; level-- > 0;)
    for (const auto& [number, event] : levels_[level].events) {
      const std::int32_t self = add(level + 1, event.entity, event.id, event.step, event.start, event.end,
                                    event.nodes, event.features);
      indices[level][number] = self;
      if (const std::int32_t before = index_of(level, event.before); before >= 0)
        join(before, self, relation(level + 1, 2 * scene_relations),
             relation(level + 1, 2 * scene_relations + 1));
      for (const Link& link : event.links) {
        const std::int32_t other = index_of(level, link.other);
        if (other < 0) continue;
        const auto r = static_cast<std::size_t>(link.relation);
        const std::int32_t forward = relation(level + 1, 2 * r), back = relation(level + 1, 2 * r + 1);
        link.outgoing ? join(self, other, forward, back) : join(other, self, forward, back);
      }
      if (level == 0)
        if (const std::int32_t parent = index_of(1, event.parent); parent >= 0)
          join(self, parent, across(1, 0), across(1, 1));
    }
  std::unordered_map<std::int32_t, std::pair<std::int64_t, std::int32_t>> last;  // of each entity: step, node
  for (const Step& step : window_) {
    if (step.step < step_ - options_.horizon) continue;
    graph.targets.clear();
    for (const Node& node : step.nodes) {
      const std::int32_t self = add(0, node.entity, entities_.at(node.entity).id, step.step, step.time,
                                    step.time, 1, node.features);
      graph.targets.push_back(self);
      if (const auto before = last.find(node.entity);
          before != last.end() && before->second.first == node.before)
        join(before->second.second, self, relation(0, 2 * scene_relations),
             relation(0, 2 * scene_relations + 1));
      last[node.entity] = {step.step, self};
      if (const std::int32_t parent = index_of(0, node.parent); parent >= 0)
        join(self, parent, across(0, 0), across(0, 1));
    }
    for (const SceneEdge& edge : step.edges)
      join(graph.targets[static_cast<std::size_t>(edge.src)],
           graph.targets[static_cast<std::size_t>(edge.dst)],
           relation(0, 2 * static_cast<std::size_t>(edge.relation)),
           relation(0, 2 * static_cast<std::size_t>(edge.relation) + 1));
  }
  graph.count_later(model_->unit);
  return graph;
}

}  // namespace stream::events
