#include "events/reasoning_head.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::events {

GraphBatch batch_of(std::span<const EventGraph* const> graphs, const HeadShape& shape) {
  GraphBatch batch;
  batch.graphs = static_cast<std::int64_t>(graphs.size());
  std::vector<float> features, distance;
  std::vector<std::int64_t> level, src, dst, relation, targets, of;
  std::vector<std::vector<std::int64_t>> members(3 * graphs.size());
  std::size_t longest = 1;
  std::int64_t first = 0;
  for (std::size_t g = 0; g < graphs.size(); ++g) {
    const EventGraph& graph = *graphs[g];
    features.insert(features.end(), graph.features.begin(), graph.features.end());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      level.push_back(graph.nodes[i].level);
      auto& some = members[3 * g + static_cast<std::size_t>(graph.nodes[i].level)];
      some.push_back(first + static_cast<std::int64_t>(i));
      longest = std::max(longest, some.size());
    }
    for (const EventGraph::Edge& edge : graph.edges) {
      src.push_back(first + edge.src), dst.push_back(first + edge.dst);
      relation.push_back(edge.relation), distance.push_back(edge.distance);
    }
    for (const std::int32_t target : graph.targets)
      targets.push_back(first + target), of.push_back(static_cast<std::int64_t>(g));
    first += static_cast<std::int64_t>(graph.nodes.size());
  }
  // An older model's head knows fewer of a node's ages, which are the last of its numbers.
  batch.features = torch::tensor(features).view({first, -1}).narrow(1, 0, shape.features);
  batch.level = torch::tensor(level, at::kLong);
  batch.edges = {torch::tensor(src, at::kLong), torch::tensor(dst, at::kLong)};
  batch.relation = torch::tensor(relation, at::kLong);
  batch.distance = torch::tensor(distance);
  batch.norm = relation_norm(batch.edges, batch.relation, first, shape.relations);
  const auto rows = static_cast<std::int64_t>(members.size()), width = static_cast<std::int64_t>(longest);
  batch.slots = torch::zeros({rows, width}, at::kLong), batch.mask = torch::zeros({rows, width}, at::kBool);
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto& some = members[static_cast<std::size_t>(r)];
    std::copy(some.begin(), some.end(), batch.slots.data_ptr<std::int64_t>() + r * width);
    std::fill_n(batch.mask.data_ptr<bool>() + r * width, some.size(), true);
  }
  batch.targets = torch::tensor(targets, at::kLong), batch.graph_of_target = torch::tensor(of, at::kLong);
  return batch;
}

ReasoningHead::ReasoningHead(HeadShape shape, std::uint64_t seed) : shape_(shape) {
  const at::Generator generator = nn::generator(seed);
  const std::int64_t d = shape.hidden;
  in_ = register_module("in", std::make_shared<nn::Linear>(shape.features, d, generator));
  levels_ = register_parameter("levels", torch::empty({3, d}).normal_(0, 0.1, generator));
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    layers_.push_back(register_module(
        "layer" + std::to_string(l),
        std::make_shared<RelationalConvolution>(d, d, shape.relations, shape.bases, generator)));
    norms_.push_back(register_module("norm" + std::to_string(l), std::make_shared<nn::LayerNorm>(d)));
  }
  if (shape.last_norm) last_ = register_module("last", std::make_shared<nn::LayerNorm>(d));
  look_ = register_module("look", std::make_shared<nn::Linear>(d, d, generator));
  glance_ = register_parameter("glance", nn::uniform_init({d}, d, generator));
  hidden_ =
      register_module("hidden", std::make_shared<nn::Linear>(6 * d + (shape.per_node ? d : 0), d, generator));
  out_ = register_module("out", std::make_shared<nn::Linear>(d, shape.outputs, generator));
}

ReasoningHead::Said ReasoningHead::forward(const GraphBatch& batch, const Dropout& dropout,
                                           std::int64_t silent) const {
  at::Tensor h = at::relu(in_->forward(batch.features) + levels_.index_select(0, batch.level));
  const at::Tensor heard = (batch.level < silent).unsqueeze(1);
  if (silent < 3) h = h * heard;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    at::Tensor x = dropout(norms_[l]->forward(h));
    if (silent < 3) x = x * heard;
    h = h + at::relu(layers_[l]->forward(x, batch.edges, batch.relation, batch.norm, batch.distance));
    if (silent < 3) h = h * heard;
  }
  if (last_) h = last_->forward(h);
  if (last_ && silent < 3) h = h * heard;
  const std::int64_t d = shape_.hidden;
  const at::Tensor score = at::matmul(at::tanh(look_->forward(h)), glance_);
  const at::Tensor padded = h.index_select(0, batch.slots.flatten()).view({batch.slots.size(0), -1, d});
  const at::Tensor none = batch.mask.logical_not();
  // A level that is empty has uniform attention to nothing, which is zero.
  const at::Tensor attention =
      at::softmax(score.index_select(0, batch.slots.flatten()).view_as(batch.slots).masked_fill(none, -1e9),
                  1)
          .masked_fill(none, 0);
  const at::Tensor mean = at::matmul(attention.unsqueeze(1), padded).squeeze(1);
  const at::Tensor most = std::get<0>(padded.masked_fill(none.unsqueeze(2), -1e9).max(1))
                              .masked_fill(batch.mask.any(1).logical_not().unsqueeze(1), 0);
  at::Tensor readout = at::cat({mean, most}, 1).view({batch.graphs, 6 * d});
  if (shape_.per_node)
    readout = at::cat({h.index_select(0, batch.targets), readout.index_select(0, batch.graph_of_target)}, 1);
  return {out_->forward(dropout(at::relu(hidden_->forward(dropout(readout))))), attention};
}

std::int64_t ReasoningHead::parameter_count() const {
  std::int64_t sum = 0;
  for (const auto& p : parameters()) sum += p.numel();
  return sum;
}

}  // namespace stream::events
