/// Stochastic policies of actor-critic learners: how actions are drawn from a network's outputs, and the
/// gradient of log pi(action) + bonus entropy by those outputs.
#pragma once

#include <span>

#include "stream/random.hpp"

namespace stream::rl {

/// outputs: one logit for each choice. `gradient` may not be `outputs`.
struct SoftmaxPolicy {
  static std::size_t sample(std::span<const double> logits, Random& random);
  static void gradient(std::span<const double> logits, std::size_t action, double bonus, double* gradient);
};

/// Independent normal distributions, not squashed: outputs are all means, then all s with deviation =
/// softplus(s).
struct NormalPolicy {
  static void sample(std::span<const double> outputs, Random& random, double* action);
  static void gradient(std::span<const double> outputs, std::span<const double> action, double bonus,
                       double* gradient);
};

}  // namespace stream::rl
