/// The reasoning head and the event model learning together: L = L_task + lambda * sum over levels of
/// L_vipool.
///
/// lambda goes linearly from 2 to 1, as in the code of Graph Cross Networks (Li et al., NeurIPS 2020); that
/// TimeGraphs does so is not known. Which nodes are events is decided by thresholds and passes no gradient
/// on; the affinity that an event's features are multiplied by does, and so do the features themselves.
#pragma once

#include "events/event_pretraining.hpp"
#include "events/game_trainer.hpp"
#include "events/reasoning_head.hpp"

namespace stream::events {

/// A stream up to a question, as its graph and with the features of the graph's nodes as functions of the
/// event network's weights.
struct LiveGraph {
  EventGraph graph;
  at::Tensor features;  ///< [nodes, features + kAges]: equal to the graph's own
  at::Tensor vipool;    ///< sum over both levels; of level 0 alone where there are no events
  std::array<std::vector<float>, 2> affinities;  ///< of all that were scored at a level
};
/// `model`: the network's weights and their thresholds, now.
LiveGraph live_graph(std::span<const Scene> scenes, std::shared_ptr<const EventModel> model,
                     const EventNetwork& network, const HierarchyOptions& options, Random& random);

class JointTrainer {
 public:
  /// `events` has finished; it is settled once more when this has.
  JointTrainer(EventPretraining& events, std::shared_ptr<ReasoningHead> head,
               std::shared_ptr<const Games> games, std::vector<std::size_t> training,
               HierarchyOptions hierarchy, GameTrainerOptions options, std::uint64_t seed);
  bool finished() const { return at_ == options_.steps; }
  void step();
  std::int64_t steps() const { return at_; }
  double loss() const { return loss_; }                ///< L_task of the last update
  double events_loss() const { return events_loss_; }  ///< sum of L_vipool of the last update
  /// Of update `at` of `steps`.
  static double lambda(std::int64_t at, std::int64_t steps);
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }

 private:
  struct All;
  EventPretraining& events_;
  std::shared_ptr<ReasoningHead> head_;
  std::shared_ptr<const Games> games_;
  std::vector<std::size_t> training_;
  HierarchyOptions hierarchy_;
  GameTrainerOptions options_;
  Random random_;
  Dropout dropout_;
  std::array<float, 2> threshold_;
  std::shared_ptr<torch::nn::Module> all_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::int64_t at_ = 0;
  double loss_ = 0, events_loss_ = 0;
};

}  // namespace stream::events
