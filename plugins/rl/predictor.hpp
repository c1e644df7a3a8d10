/// stream TD(lambda): predicts the discounted sum of a cumulant that comes with the observations.
#pragma once

#include <optional>

#include "rl/observation_input.hpp"
#include "rl/settings.hpp"
#include "rl/trace_learner.hpp"

namespace stream::rl {

class Predictor {
 public:
  /// input_trace: beta of an exponential trace of the observations that is seen in their place; 0 for none.
  Predictor(const Settings& settings, std::size_t observation, double input_trace, Random random);

  struct Prediction {
    double value;                 ///< of what follows x, in units of the cumulant; 0 where an episode ends
    std::optional<double> delta;  ///< TD error in units of the cumulant; none for the first of an episode
    double step;                  ///< effective step size; 0 without an update
  };
  /// x, and the cumulant that came with it. The value is told before x is learnt from. Throws as
  /// Controller::step does, with nothing changed.
  Prediction observe(std::span<const double> x, double cumulant, bool end);

  const TraceLearner& learner() const { return learner_; }
  std::size_t observation_size() const { return input_.size(); }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  std::span<const double> traced(std::span<const double> x);

  double gamma_, decay_;  ///< decay_: gamma lambda
  bool scale_rewards_;
  ObservationInput input_;
  RewardScaler scaler_;
  TraceLearner learner_;
  double beta_;
  std::vector<double> trace_, trace_next_, corrected_;
  std::int64_t events_ = 0;
  bool running_ = false;  ///< within an episode
};

}  // namespace stream::rl
