/// Many episodes of one environment at once, with one batched policy: success, score, and how often it
/// changed its mind.
#pragma once

#include "diffusion_policy/sampler.hpp"
#include "stream/environment.hpp"

namespace stream::diffusion_policy {

struct Rollouts {
  std::int64_t episodes = 0;
  double success = 0;               ///< share of the episodes that ended with a reward of 1
  double left = 0;                  ///< share of the successes that passed on the left (gate-world)
  double mean_reward = 0;           ///< a tick
  double best_reward = 0;           ///< the greatest of an episode, in the mean
  double switches = 0;              ///< changes of side an episode
  std::vector<std::int64_t> calls;  ///< network calls of every call of the sampler, in order
  double seconds_a_call = 0;        ///< of the sampler: processor time of this thread, the median
};

struct RolloutOptions {
  std::string environment;
  std::int64_t episodes = 200;
  std::uint64_t seed = 0;  ///< of the episodes; held out when the demonstrations had another
};

Rollouts roll_out(Sampler& sampler, const RolloutOptions& options, const Context& context);

}  // namespace stream::diffusion_policy
