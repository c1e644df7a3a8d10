/// The event model as networks that learn: its scores, and the relational features that the second one is of.
#pragma once

#include "events/event_hierarchy.hpp"
#include "events/scene_tensors.hpp"

namespace stream::events {

/// GXN's loss: the mean of -log sig T(v, v) and of -log(1 - sig T(v, p(v))), p a permutation of the nodes.
class Vipool : public torch::nn::Module {
 public:
  Vipool(std::int64_t in, std::int64_t embedded, const at::Generator& generator);
  at::Tensor embed(const at::Tensor& x) const;
  /// T(v, v) and T(v, p(v)), from embeddings [n, e] and sums over neighbourhoods [n, e].
  at::Tensor logits(const at::Tensor& embedding, const at::Tensor& around) const;
  at::Tensor loss(const at::Tensor& embedding, const at::Tensor& around, const at::Tensor& other) const;
  /// A permutation of nodes [n] among those of the same type. Among all of them, to be of a rare type (the
  /// ball) would tell a node from others at every step, and it would be promoted for what it is and not for
  /// what happens to it. At the optimum T is then the pointwise information given the type.
  static at::Tensor others(const at::Tensor& types, std::uint64_t seed);
  VipoolMaps maps() const;

 private:
  std::shared_ptr<nn::Linear> embed_, around_, bilinear_;
  at::Tensor slope_;
};

/// The event features, and the score of level 1 on them.
class EventRelations : public torch::nn::Module {
 public:
  EventRelations(std::int64_t inputs, std::int64_t hidden, std::int64_t embedded, std::int64_t relations,
                 std::int64_t bases, const at::Generator& generator);
  /// What the convolutions make of each node: [n, hidden].
  at::Tensor convolved(const SceneTensors& piece) const;
  std::array<std::shared_ptr<RelationalConvolution>, 2> layers;
  std::shared_ptr<Vipool> pool;

 private:
  std::int64_t relations_;
};

/// Events of level 1 of a piece of a stream, in the order in which they began.
struct EventRows {
  at::Tensor rows;              ///< [m] nodes of the piece
  EdgeList edges;               ///< from an event to one whose surroundings it is of, by place in `rows`
  at::Tensor weights;           ///< [E] 1 / sqrt(d d)
  std::vector<float> affinity;  ///< [m] that promoted them
  bool empty() const { return weights.numel() == 0; }
};
EventRows event_rows(std::span<const EventHierarchy::Level1Sample> samples, const SceneTensors& piece);

struct EventNetwork {
  std::shared_ptr<Vipool> first;           ///< the score of level 0
  std::shared_ptr<EventRelations> second;  ///< features, and the score of level 1
  /// The weights as plain numbers, into a model that has everything else.
  void write(EventModel& model) const;
};

}  // namespace stream::events
