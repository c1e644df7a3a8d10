/// Small policies of random weights: whatever does not depend on training can be asked of them.
#pragma once

#include "diffusion_policy/sampler.hpp"

namespace stream::diffusion_policy::testing {

struct Small {
  std::int64_t horizon = 20, observed = 2, executed = 4, noise_steps = 48, observation = 9, action = 2;
  Objective objective = Objective::kStreaming;
};

inline Policy small_policy(const Small& small = {}) {
  DenoiserShape shape;
  shape.horizon = small.horizon;
  shape.observed = small.observed;
  shape.observation = small.observation;
  shape.action = small.action;
  shape.noise_steps = small.noise_steps;
  shape.step_code = 8;
  shape.dims = {8, 8};
  const auto identity = [](std::int64_t width) {
    return Normaliser{std::vector<float>(static_cast<std::size_t>(width), 1),
                      std::vector<float>(static_cast<std::size_t>(width), 0)};
  };
  return {small.objective, small.executed, std::make_shared<Denoiser>(shape, nn::generator(3)),
          identity(shape.observation), identity(shape.action)};
}

/// Observations of `robots` robots for one call, [robots, To, Do].
inline std::vector<float> made_up_observations(const Policy& policy, std::int64_t robots, Random& random) {
  const DenoiserShape& s = policy.network->shape();
  std::vector<float> out(static_cast<std::size_t>(robots * s.observed * s.observation));
  for (float& v : out) v = static_cast<float>(random.uniform(-1, 1));
  return out;
}

}  // namespace stream::diffusion_policy::testing
