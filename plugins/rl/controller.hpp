/// stream Q(lambda), SARSA(lambda) and AC(lambda): one sample, one update, nothing kept.
///
/// Elsayed, Vasan, Mahmood, "Streaming Deep Reinforcement Learning Finally Works", arXiv 2410.14606.
#pragma once

#include <memory>
#include <optional>

#include "rl/observation_input.hpp"
#include "rl/settings.hpp"
#include "rl/trace_learner.hpp"

namespace stream::rl {

/// What may be done: one of `choices`, or (choices = 0) `dimensions` numbers.
struct Actions {
  std::size_t choices = 0, dimensions = 1;
  std::size_t size() const { return choices > 0 ? 1 : dimensions; }
};

class Controller {
 public:
  /// Throws Error(kBadRecipe) when the algorithm cannot do with such actions.
  Controller(Algorithm algorithm, const Settings& settings, std::size_t observation, const Actions& actions,
             Random random);

  /// What one event taught.
  struct Update {
    double delta;              ///< TD error, in units of the scaled reward
    double step;               ///< effective step size of the value network
    double normalised_return;  ///< running discounted return, in units of the scaled reward
  };
  /// The first observation of an episode; chooses an action.
  void begin(std::span<const double> x);
  /// What the action led to: learns, and chooses the next action unless that was the end (`done`: terminated
  /// or truncated). Throws Error(kBadData) for observations of another size and numbers that are not finite,
  /// with nothing changed, and Error(kFailed) when values or policy are not finite any more, to which no rule
  /// but sgd and adam comes.
  Update step(double reward, std::span<const double> x, bool done);

  /// The episode has been lost; begin comes next.
  void break_off();
  /// Within an episode: step, not begin, comes next.
  bool acting() const { return acting_; }
  /// The action chosen for the newest observation: the number of a choice, or numbers.
  std::span<const double> action() const { return action_; }
  /// Another action than the chosen one was executed. Throws Error(kBadData) for one that there is not.
  void executed(std::span<const double> action);
  double epsilon() const;

  const TraceLearner& value() const { return value_; }
  const TraceLearner* policy() const { return policy_ ? &*policy_ : nullptr; }
  TraceLearner& value() { return value_; }
  TraceLearner* policy() { return policy_ ? &*policy_ : nullptr; }
  const Settings& settings() const { return settings_; }
  /// What the value network sees of the newest observation.
  std::span<const double> input() const { return input_.now(); }
  bool greedy() const { return greedy_; }

  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  /// An epsilon-greedy choice by these values.
  struct Choice {
    std::size_t action;
    bool greedy;
  };
  Choice choose(std::span<const double> values, Random& random) const;
  void act();

  Algorithm algorithm_;
  Settings settings_;
  Actions actions_;
  Random random_;
  ObservationInput input_;
  RewardScaler scaler_;
  TraceLearner value_;
  std::optional<TraceLearner> policy_;
  std::vector<double> action_, weight_;  ///< weight_: scratch for gradients by outputs
  std::int64_t chosen_ = 0;              ///< epsilon-greedy choices so far
  bool greedy_ = true;                   ///< the action is the one of the greatest value
  bool acting_ = false;
};

}  // namespace stream::rl
