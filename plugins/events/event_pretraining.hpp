/// Learns an event model from scenes alone, without labels: first which nodes are events (level 0), then
/// relational features and which events are events of level 2, by the vertex-infomax loss.
#pragma once

#include <memory>

#include "events/event_network.hpp"
#include "nn/adamw.hpp"
#include "stream/random.hpp"

namespace stream::events {

struct PretrainingOptions {
  std::array<double, 2> keep{0.2, 0.2};
  std::int64_t delay = 1, horizon = 8;
  std::int64_t hidden = 16, embedded = 16, bases = 2;
  std::int64_t steps = 300;             ///< updates of each of the two levels
  std::int64_t batch = 8, window = 40;  ///< pieces of streams in an update, and their steps
  std::int64_t streams = 40;            ///< at the most, for thresholds
  double rate = 2e-3;
};

/// A value that a share of `keep` lies above, in the middle between two of them; 0 when there are none.
float upper_quantile(std::vector<float> values, double keep);

class EventPretraining {
 public:
  using Streams = std::vector<std::vector<Scene>>;
  /// Throws Error(kBadData) when the streams are too short for a window.
  EventPretraining(SceneVocabulary vocabulary, std::shared_ptr<const Streams> streams,
                   PretrainingOptions options, std::uint64_t seed);
  bool finished() const { return stage_ == 2; }
  /// One update.
  void step();
  double loss() const { return loss_; }
  std::int64_t steps() const { return stage_ * options_.steps + at_; }
  std::int64_t all_steps() const { return 2 * options_.steps; }
  /// Once it has finished.
  std::shared_ptr<const EventModel> model() const { return model_; }
  /// For whoever goes on where this has finished; `settle` follows.
  const EventNetwork& network() const { return network_; }
  /// The weights as they are now, with the thresholds as they were last found or set.
  EventModel plain() const;
  void set_thresholds(std::array<float, 2> thresholds) { threshold_ = thresholds; }
  /// Finds both thresholds anew, as quantiles over the streams, and the model with them.
  void settle();
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_ ? optimiser_->state_bytes() : 0; }

 private:
  void begin_stage();
  void end_stage();
  void find_threshold(std::size_t level);
  at::Tensor first_loss(const SceneTensors& piece);
  at::Tensor second_loss(const std::vector<Scene>& scenes, const SceneTensors& piece);
  std::vector<float> scores(std::size_t level, Promotion promotion) const;
  SceneVocabulary vocabulary_;
  std::shared_ptr<const Streams> streams_;
  PretrainingOptions options_;
  Random random_;
  std::vector<float> mean_, scale_;
  double unit_ = 1;
  std::array<float, 2> threshold_{0, 0};
  EventNetwork network_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::shared_ptr<const EventModel> model_;
  std::int64_t stage_ = 0, at_ = 0;
  double loss_ = 0;
};

}  // namespace stream::events
