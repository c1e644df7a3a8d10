#include "events/whole_hierarchy.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "events/scene_tensors.hpp"
#include "nn/device.hpp"

namespace stream::events {

namespace {

at::Tensor matrix(const Affine& map) {
  return torch::tensor(map.weight).view({static_cast<std::int64_t>(map.in), -1});
}
at::Tensor apply(const Affine& map, const at::Tensor& x) {
  const at::Tensor y = at::matmul(x, matrix(map));
  return map.bias.empty() ? y : y + torch::tensor(map.bias);
}
at::Tensor embedding(const VipoolMaps& pool, const at::Tensor& x) {
  return at::prelu(apply(pool.embed, x), torch::full({1}, pool.slope));
}
at::Tensor affinity(const VipoolMaps& pool, const at::Tensor& e, const at::Tensor& around) {
  return at::sigmoid((at::sigmoid(apply(pool.around, around)) * apply(pool.bilinear, e)).sum(-1));
}

struct Chosen {
  std::vector<std::int64_t> rows;    ///< of level 0
  std::vector<std::int64_t> before;  ///< index in this level of the entity's one before, or -1
  std::vector<std::int64_t> parent;  ///< index in the level above, or -1
  std::vector<double> end;
  std::vector<std::int64_t> nodes;
  at::Tensor features;                          ///< [events, F]
  std::set<std::array<std::int64_t, 3>> links;  ///< (src, dst, relation)
};

}  // namespace

WholeHierarchy whole_hierarchy(std::span<const Scene> scenes, const EventModel& model, std::int64_t horizon) {
  return nn::inference([&] {
    const SceneTensors all = scene_tensors(scenes, model, kept_steps(horizon, model.delay));
    const std::int64_t n = all.inputs.size(0), entities = all.first[1];
    const auto steps = static_cast<std::int64_t>(scenes.size()), decided = steps - model.delay;
    const auto step_of = [&](std::int64_t row) { return row / entities; };
    const auto time_of = [&](std::int64_t row) {
      return scenes[static_cast<std::size_t>(step_of(row))].time;
    };
    const auto entity_of = [&](std::int64_t row) {
      return all.entities[static_cast<std::size_t>(step_of(row))][static_cast<std::size_t>(row % entities)];
    };

    // Level 0: features and affinities of every node.
    at::Tensor h = all.seen();
    const auto relations = static_cast<std::int64_t>(model.relations());
    const at::Tensor norm = relation_norm(all.typed, all.relation, n, relations);
    for (const RelationalMaps& layer : model.convolution) {
      at::Tensor y = apply(layer.self, h);
      for (std::int64_t r = 0; r < relations; ++r) {
        const at::Tensor c = (norm * all.relation.eq(r)).unsqueeze(1);
        y = y + apply(layer.relations[static_cast<std::size_t>(r)],
                      gather_messages(h.unsqueeze(1), c, all.typed));
      }
      h = at::relu(y);
    }
    const at::Tensor features = at::cat({all.inputs, h}, 1);
    const at::Tensor e0 = embedding(model.pool[0], all.seen());
    const at::Tensor a0 = affinity(model.pool[0], e0, all.around(e0, model.delay)).contiguous();

    // Which event of a level an entity is in, after each step: [step * entities + entity].
    std::array<Chosen, 2> level;
    std::array<std::vector<std::int64_t>, 2> latest;
    const auto begin = [&](std::size_t l, std::int64_t row, std::vector<std::int64_t>& open) {
      auto& now = open[static_cast<std::size_t>(entity_of(row))];
      level[l].before.push_back(now);
      now = static_cast<std::int64_t>(level[l].rows.size());
      level[l].rows.push_back(row), level[l].parent.push_back(-1);
      level[l].end.push_back(time_of(row)), level[l].nodes.push_back(1);
    };
    std::vector<std::int64_t> open(static_cast<std::size_t>(entities), -1),
        parent0(static_cast<std::size_t>(n), -1);
    for (std::int64_t row = 0; row < decided * entities; ++row) {
      auto& now = open[static_cast<std::size_t>(entity_of(row))];
      if (a0.data_ptr<float>()[row] > model.threshold[0]) {
        begin(0, row, open);
      } else if (now >= 0) {
        level[0].end[static_cast<std::size_t>(now)] = time_of(row),
        ++level[0].nodes[static_cast<std::size_t>(now)];
      }
      parent0[static_cast<std::size_t>(row)] = now;
      if (row % entities == entities - 1) latest[0].insert(latest[0].end(), open.begin(), open.end());
    }
    const auto at_step = [&](std::size_t l, std::int64_t step, std::int32_t node) {
      const std::int32_t entity =
          all.entities[static_cast<std::size_t>(step)][static_cast<std::size_t>(node)];
      return latest[l][static_cast<std::size_t>(step * entities + entity)];
    };

    // Level 1: affinities of its events, from those before and beside them when they began.
    Chosen& one = level[0];
    const auto count = static_cast<std::int64_t>(one.rows.size());
    const at::Tensor rows = torch::tensor(one.rows, at::kLong);
    one.features = features.index_select(0, rows) * a0.index_select(0, rows).unsqueeze(1);
    std::vector<std::set<std::int64_t>> beside(one.rows.size());
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t row = one.rows[static_cast<std::size_t>(k)], step = step_of(row);
      if (one.before[static_cast<std::size_t>(k)] >= 0)
        beside[static_cast<std::size_t>(k)].insert(one.before[static_cast<std::size_t>(k)]);
      for (const SceneEdge& edge : scenes[static_cast<std::size_t>(step)].edges)
        for (const auto& [self, other] : {std::pair(edge.src, edge.dst), std::pair(edge.dst, edge.src)})
          if (self == row % entities && self != other)
            if (const std::int64_t event = at_step(0, step, other); event >= 0)
              beside[static_cast<std::size_t>(k)].insert(event);
    }
    EdgeList around;
    std::vector<std::int64_t> src, dst;
    std::vector<float> weights;
    const auto degree = [&](std::int64_t k) {
      return static_cast<float>(std::max<std::size_t>(1, beside[static_cast<std::size_t>(k)].size()));
    };
    for (std::int64_t k = 0; k < count; ++k)
      for (const std::int64_t other : beside[static_cast<std::size_t>(k)])
        src.push_back(other), dst.push_back(k), weights.push_back(1 / std::sqrt(degree(k) * degree(other)));
    around = {torch::tensor(src, at::kLong), torch::tensor(dst, at::kLong)};
    const auto skipped = static_cast<std::int64_t>(model.skipped());
    const at::Tensor e1 =
        embedding(model.pool[1], one.features.narrow(1, skipped, one.features.size(1) - skipped));
    const at::Tensor a1 =
        affinity(model.pool[1], e1,
                 gather_messages(e1.unsqueeze(1), torch::tensor(weights).unsqueeze(1), around))
            .contiguous();
    std::fill(open.begin(), open.end(), -1);
    std::vector<std::int64_t> kept;
    std::int64_t k = 0;
    for (std::int64_t step = 0; step < decided; ++step) {
      for (; k < count && step_of(one.rows[static_cast<std::size_t>(k)]) == step; ++k) {
        const auto i = static_cast<std::size_t>(k);
        auto& now = open[static_cast<std::size_t>(entity_of(one.rows[i]))];
        const bool promoted = a1.data_ptr<float>()[k] > model.threshold[1];
        if (promoted) begin(1, one.rows[i], open), kept.push_back(k);
        one.parent[i] = now;
        if (now < 0) continue;
        const auto up = static_cast<std::size_t>(now);
        level[1].end[up] = std::max(level[1].end[up], one.end[i]);
        level[1].nodes[up] = promoted ? one.nodes[i] : level[1].nodes[up] + one.nodes[i];
      }
      latest[1].insert(latest[1].end(), open.begin(), open.end());
    }
    const at::Tensor chosen = torch::tensor(kept, at::kLong);
    level[1].features = one.features.index_select(0, chosen) * a1.index_select(0, chosen).unsqueeze(1);

    // Events are linked when what they stand for was.
    for (std::int64_t step = 0; step < decided; ++step)
      for (const SceneEdge& edge : scenes[static_cast<std::size_t>(step)].edges) {
        const std::int64_t a = at_step(0, step, edge.src), b = at_step(0, step, edge.dst);
        if (a < 0 || b < 0) continue;
        if (a != b) one.links.insert({a, b, edge.relation});
        const std::int64_t up = one.parent[static_cast<std::size_t>(a)],
                           over = one.parent[static_cast<std::size_t>(b)];
        if (up >= 0 && over >= 0 && up != over) level[1].links.insert({up, over, edge.relation});
      }

    WholeHierarchy out;
    for (std::size_t l = 0; l < 2; ++l)
      for (std::size_t i = 0; i < level[l].rows.size(); ++i)
        out.events.push_back({static_cast<std::int64_t>(l) + 1, step_of(level[l].rows[i]),
                              entity_of(level[l].rows[i]), time_of(level[l].rows[i]), level[l].end[i],
                              level[l].nodes[i]});

    // The graph that is left at the end.
    EventGraph& graph = out.graph;
    const double now = scenes.back().time;
    const auto scene_relations = static_cast<std::int32_t>(model.vocabulary.relations.size());
    const std::int32_t width = 2 * scene_relations + 2;
    const auto log = [](double value) { return static_cast<float>(std::log1p(std::max(0.0, value))); };
    const auto add = [&](std::int32_t of, std::int64_t row, double end, std::int64_t nodes,
                         const at::Tensor& x) {
      const at::Tensor values = x.contiguous();
      graph.features.insert(graph.features.end(), values.data_ptr<float>(),
                            values.data_ptr<float>() + values.numel());
      graph.features.push_back(log((now - time_of(row)) / model.unit));
      graph.features.push_back(log((end - time_of(row)) / model.unit));
      graph.features.push_back(log(static_cast<double>(nodes - 1)));
      graph.features.insert(graph.features.end(), EventGraph::kLater, 0);  // until all nodes are there
      graph.nodes.push_back({of, entity_of(row), {}, step_of(row), time_of(row), end});
      return static_cast<std::int32_t>(graph.nodes.size() - 1);
    };
    const auto join = [&](std::int32_t a, std::int32_t b, std::int32_t forward, std::int32_t back) {
      const double apart = std::abs(graph.nodes[static_cast<std::size_t>(a)].start -
                                    graph.nodes[static_cast<std::size_t>(b)].start);
      graph.edges.push_back({a, b, forward, log(apart / model.unit)});
      graph.edges.push_back({b, a, back, log(apart / model.unit)});
    };
    std::array<std::map<std::int64_t, std::int32_t>, 3> index;
    for (std::size_t l = 2; l-- > 0;) {
      const auto of = static_cast<std::int32_t>(l) + 1;
      for (std::size_t i = 0; i < level[l].rows.size(); ++i) {
        const std::int64_t row = level[l].rows[i];
        const bool is_open = latest[l][static_cast<std::size_t>((decided - 1) * entities + entity_of(row))] ==
                             static_cast<std::int64_t>(i);
        if (l == 0 && step_of(row) < steps - 10 * horizon && !is_open) continue;
        index[l + 1][static_cast<std::int64_t>(i)] =
            add(of, row, level[l].end[i], level[l].nodes[i], level[l].features[static_cast<std::int64_t>(i)]);
      }
      for (const auto& [i, self] : index[l + 1]) {
        const auto before = index[l + 1].find(level[l].before[static_cast<std::size_t>(i)]);
        if (before != index[l + 1].end())
          join(before->second, self, of * width + 2 * scene_relations, of * width + 2 * scene_relations + 1);
        if (l == 0)
          if (const auto up = index[2].find(one.parent[static_cast<std::size_t>(i)]); up != index[2].end())
            join(self, up->second, 3 * width + 2, 3 * width + 3);
      }
      for (const auto& [a, b, r] : level[l].links) {
        const auto from = index[l + 1].find(a), to = index[l + 1].find(b);
        if (from != index[l + 1].end() && to != index[l + 1].end())
          join(from->second, to->second, of * width + 2 * static_cast<std::int32_t>(r),
               of * width + 2 * static_cast<std::int32_t>(r) + 1);
      }
    }
    for (std::int64_t step = std::max<std::int64_t>(0, steps - horizon); step < steps; ++step) {
      graph.targets.clear();
      for (std::int64_t i = 0; i < entities; ++i) {
        const std::int64_t row = step * entities + i;
        const std::int32_t self = add(0, row, time_of(row), 1, features[row]);
        graph.targets.push_back(self), index[0][row] = self;
        for (std::int64_t past = row - i - entities; past >= 0 && past < row - i; ++past)
          if (index[0].contains(past) && entity_of(past) == entity_of(row))
            join(index[0][past], self, 2 * scene_relations, 2 * scene_relations + 1);
        if (const auto up = index[1].find(parent0[static_cast<std::size_t>(row)]); up != index[1].end())
          join(self, up->second, 3 * width, 3 * width + 1);
      }
      for (const SceneEdge& edge : scenes[static_cast<std::size_t>(step)].edges)
        join(graph.targets[static_cast<std::size_t>(edge.src)],
             graph.targets[static_cast<std::size_t>(edge.dst)], 2 * edge.relation, 2 * edge.relation + 1);
    }
    graph.count_later(model.unit);
    return out;
  });
}

}  // namespace stream::events
