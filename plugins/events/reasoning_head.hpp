/// The reasoning head of TimeGraphs: relational graph convolutions over the events of all levels, and a
/// readout by attention.
///
/// Maheshwari et al., "TimeGraphs: Graph-based Temporal Reasoning", arXiv 2401.03134.
#pragma once

#include "events/dropout.hpp"
#include "events/event_graph.hpp"
#include "events/relational.hpp"
#include "nn/blocks.hpp"

namespace stream::events {

struct HeadShape {
  std::int64_t features = 0;   ///< of a graph's nodes, ages included
  std::int64_t relations = 0;  ///< EventGraph::relations
  std::int64_t hidden = 32, layers = 3, bases = 2;
  std::int64_t outputs = 1;
  bool per_node = false;  ///< outputs for each node of the newest step, or one set for the whole graph
  /// Nodes are normalised before the readout as they are before each layer; files from before are read
  /// without.
  bool last_norm = true;
};

/// Several graphs as one.
struct GraphBatch {
  at::Tensor features;  ///< [n, F]
  at::Tensor level;     ///< [n]
  EdgeList edges;
  at::Tensor relation, norm, distance;  ///< [E]
  at::Tensor slots, mask;               ///< [3 G, M] nodes of each graph and level, padded; and which are
  at::Tensor targets, graph_of_target;  ///< [m]
  std::int64_t graphs = 0;
};
GraphBatch batch_of(std::span<const EventGraph* const> graphs, const HeadShape& shape);

class ReasoningHead : public torch::nn::Module {
 public:
  ReasoningHead(HeadShape shape, std::uint64_t seed);
  struct Said {
    at::Tensor logits;     ///< [G, outputs] or [m, outputs]
    at::Tensor attention;  ///< [3 G, M]: of each graph and level, which nodes the readout looks at
  };
  /// `silent`: levels from this one on say nothing to anybody.
  Said forward(const GraphBatch& batch, const Dropout& dropout = {}, std::int64_t silent = 3) const;
  const HeadShape& shape() const { return shape_; }
  std::int64_t parameter_count() const;

 private:
  HeadShape shape_;
  std::shared_ptr<nn::Linear> in_, look_, hidden_, out_;
  at::Tensor levels_, glance_;
  std::vector<std::shared_ptr<RelationalConvolution>> layers_;
  std::vector<std::shared_ptr<nn::LayerNorm>> norms_;
  std::shared_ptr<nn::LayerNorm> last_;  ///< null without HeadShape::last_norm
};

}  // namespace stream::events
