#include "events/scene_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <unordered_map>

namespace stream::events {

at::Tensor SceneTensors::around(const at::Tensor& e, std::int64_t delay) const {
  const at::Tensor w = weights.unsqueeze(1);
  at::Tensor once = gather_messages(e.unsqueeze(1), w, edges);
  if (delay < 2) return once;
  // What comes back to the node itself is left out: with it, a node would foretell itself.
  const at::Tensor back = torch::zeros({e.size(0)}).index_add_(0, edges.dst, weights.square()).unsqueeze(1);
  return (once + gather_messages(once.unsqueeze(1), w, edges) - back * e) / 2;
}

std::int64_t SceneTensors::row(std::int64_t step, std::int32_t entity) const {
  const auto& there = entities.at(static_cast<std::size_t>(step));
  const auto at = std::find(there.begin(), there.end(), entity);
  if (at == there.end()) throw std::logic_error("an event is of an entity that was not there");
  return first[static_cast<std::size_t>(step)] + (at - there.begin());
}

SceneTensors scene_tensors(std::span<const Scene> scenes, const EventModel& model, std::int64_t kept) {
  SceneTensors piece;
  std::vector<float> inputs;
  std::vector<std::int64_t> src, dst, from, to, relation, degree;
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  struct Seen {
    std::size_t step;
    std::int64_t node;
    const SceneNode* is;
    double time;
    std::int32_t entity;
  };
  std::unordered_map<std::string, Seen> seen;
  const auto f = static_cast<std::size_t>(model.vocabulary.features);
  std::int64_t count = 0;
  std::int32_t entities = 0;
  for (std::size_t t = 0; t < scenes.size(); ++t) {
    const Scene& scene = scenes[t];
    const std::int64_t first = count;
    piece.first.push_back(first);
    piece.entities.emplace_back();
    for (const SceneNode& node : scene.nodes) {
      const Seen now{t, -1, &node, scene.time, entities};
      const auto at = seen.try_emplace(node.id, now).first;
      const bool fresh = at->second.node < 0 || at->second.step + static_cast<std::size_t>(kept) < t;
      if (fresh) at->second = now, ++entities;
      const Seen before = at->second;
      const float spell = fresh ? 1 : model.spell(scene.time - before.time);
      for (std::size_t i = 0; i < f; ++i) inputs.push_back(model.scaled(i, node.x[i]));
      for (std::size_t i = 0; i < f; ++i)
        inputs.push_back(model.scaled(f + i, (node.x[i] - before.is->x[i]) / spell));
      for (std::size_t k = 0; k < model.vocabulary.types.size(); ++k)
        inputs.push_back(static_cast<std::int32_t>(k) == node.type ? 1.f : 0.f);
      degree.push_back((fresh ? 0 : 1) + (model.delay > 0 ? 1 : 0));
      if (!fresh) {
        pairs.emplace_back(before.node, count);  // the later one sees the earlier one
        if (model.delay > 0 && before.step + 1 == t) pairs.emplace_back(count, before.node);
        from.push_back(before.node), to.push_back(count);
        relation.push_back(static_cast<std::int64_t>(model.relations()) - 1);
      }
      at->second.step = t, at->second.node = count, at->second.is = &node, at->second.time = scene.time;
      piece.entities.back().push_back(at->second.entity);
      ++count;
    }
    for (const SceneEdge& edge : scene.edges) {
      const std::int64_t a = first + edge.src, b = first + edge.dst;
      from.push_back(a), to.push_back(b), relation.push_back(2 * edge.relation);
      from.push_back(b), to.push_back(a), relation.push_back(2 * edge.relation + 1);
      if (a == b) continue;
      pairs.emplace_back(a, b), pairs.emplace_back(b, a);
      ++degree[static_cast<std::size_t>(a)], ++degree[static_cast<std::size_t>(b)];
    }
  }
  piece.first.push_back(count);
  std::vector<float> weights;
  for (const auto& [a, b] : pairs) {
    src.push_back(a), dst.push_back(b);
    const auto d = [&](std::int64_t node) {
      return static_cast<float>(std::max<std::int64_t>(1, degree[static_cast<std::size_t>(node)]));
    };
    weights.push_back(1 / std::sqrt(d(a) * d(b)));
  }
  piece.inputs = torch::tensor(inputs).view({count, -1}), piece.skipped = model.vocabulary.features;
  piece.edges = {torch::tensor(src, at::kLong), torch::tensor(dst, at::kLong)};
  piece.weights = torch::tensor(weights);
  piece.typed = {torch::tensor(from, at::kLong), torch::tensor(to, at::kLong)};
  piece.relation = torch::tensor(relation, at::kLong);
  return piece;
}

}  // namespace stream::events
