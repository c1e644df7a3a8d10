/// What a stream-x learner is told: one set of hyper-parameters for every task (Elsayed et al., section 5).
#pragma once

#include <string>
#include <vector>

#include "rl/network.hpp"
#include "rl/trace_learner.hpp"
#include "stream/params.hpp"
#include "stream/spec.hpp"

namespace stream::rl {

enum class Algorithm : std::uint8_t { kQ, kSarsa, kAc };

struct Settings {
  std::vector<std::size_t> hidden = {64, 64};
  Grid grid{};  ///< of an observation that is a picture; convolved when filters > 0
  std::size_t filters = 0;
  double gamma = 0.99, lambda = 0.8;
  Rule rule = Rule::kObgd;
  double rate = 1;  ///< alpha of ObGD, step size of the other rules
  double kappa_value = 2, kappa_policy = 3;
  double entropy = 0.01;  ///< weight of the entropy bonus of AC
  double sparsity = 0.9;  ///< of the initial weights; 0: none is set to zero
  bool layer_norm = true;
  bool normalize = true;  ///< observations
  bool scale_rewards = true;
  double epsilon_first = 1, epsilon_last = 0.01;
  double epsilon_steps = 5000;  ///< actions over which epsilon falls, linearly
  double time_limit =
      0;  ///< steps after which an episode is cut off, for the time feature; 0: no such feature

  Network::Shape shape(std::size_t inputs, std::size_t outputs) const;
  Optimizer value_optimizer() const { return {rule, rate, kappa_value}; }
  Optimizer policy_optimizer() const { return {rule, rate, kappa_policy}; }

  /// Declares the parameters that all learners have, and those of controllers.
  static Spec declare(Spec spec);
  static Spec declare_control(Spec spec);
  /// Reads them. Throws Error(kBadRecipe) where they contradict each other.
  static Settings from(const Params& params);
  static Settings control_from(const Params& params);
};

/// "q", "sarsa" or "ac".
Algorithm algorithm_of(const std::string& name);

}  // namespace stream::rl
