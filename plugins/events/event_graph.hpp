/// What the reasoning head of TimeGraphs reads: events of all levels and the relations between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stream::events {

struct EventGraph {
  struct Node {
    std::int32_t level, entity;  ///< of the entity by order of appearance
    std::string id;              ///< of the entity
    std::int64_t step;           ///< at which it began
    double start, end;           ///< seconds
  };
  struct Edge {
    std::int32_t src, dst, relation;
    float distance;  ///< log(1 + usual steps between their starts)
  };
  std::vector<Node> nodes;
  std::vector<float> features;  ///< [nodes, features + kAges]
  std::vector<Edge> edges;
  std::vector<std::int32_t> targets;  ///< level-0 node of each of the newest step's nodes, in their order

  /// Log of the steps since it began, of those it stands for, of the nodes that it stands for, and of the
  /// events of its entity and level that have begun since; then, one-hot, how many bursts of such events came
  /// since, up to three: how many acts ago it was, however long the quiet between. Events that begin at most
  /// kBurst usual steps after one another are one burst, whether there was a step at each of them or not.
  static constexpr std::size_t kAges = 8, kLater = 5;
  static constexpr double kBurst = 2;
  /// Writes the last kLater of them. Nodes of a level and entity stand in order of time. `unit`: seconds of a
  /// usual step.
  void count_later(double unit);
  /// Relations of a graph: at each of three levels those of the scene and the entity's chain, both ways;
  /// part-of and has-part between levels.
  static std::size_t relations(std::size_t scene_relations) { return 3 * (2 * scene_relations + 2) + 4; }
};

}  // namespace stream::events
