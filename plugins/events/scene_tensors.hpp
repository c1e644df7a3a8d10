/// A log of scenes at once, as tensors: the same neighbourhoods as those of a stream.
#pragma once

#include "events/event_model.hpp"
#include "events/relational.hpp"

namespace stream::events {

struct SceneTensors {
  at::Tensor inputs;                ///< [n, inputs]: nodes by step, in the steps' order
  std::int64_t skipped = 0;         ///< inputs that scores and convolutions do not see: the first ones
  std::vector<std::int64_t> first;  ///< node at which each step begins, and the end
  EdgeList edges;                   ///< neighbourhoods, with times up to a step later where there is a delay
  at::Tensor weights;               ///< [E] 1 / sqrt(d d)
  EdgeList typed;                   ///< the convolutions' edges
  at::Tensor relation;              ///< [E']
  std::vector<std::vector<std::int32_t>> entities;  ///< of each step's nodes, by order of appearance
  /// Of an entity's node at a step where it is.
  std::int64_t row(std::int64_t step, std::int32_t entity) const;
  at::Tensor seen() const { return inputs.narrow(1, skipped, inputs.size(1) - skipped); }
  /// [n] of each node, as the vocabulary counts them.
  at::Tensor types() const { return inputs.narrow(1, 2 * skipped, inputs.size(1) - 2 * skipped).argmax(1); }
  /// What a node's score sees of its surroundings: A e, or the mean of A e and A A e for a delay of 2.
  at::Tensor around(const at::Tensor& e, std::int64_t delay) const;
};

/// `kept`: steps after which an entity that was not there is another one (kept_steps).
SceneTensors scene_tensors(std::span<const Scene> scenes, const EventModel& model, std::int64_t kept);

}  // namespace stream::events
