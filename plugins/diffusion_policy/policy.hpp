/// A trained policy: the network, how its numbers are scaled, and its file.
#pragma once

#include <memory>
#include <string>

#include "diffusion_policy/chunks.hpp"
#include "diffusion_policy/denoiser.hpp"
#include "diffusion_policy/episodes.hpp"

namespace stream::diffusion_policy {

/// What a network was trained to do.
enum class Objective : std::uint8_t {
  kStreaming,  ///< to denoise buffers whose noise grows in chunks, among others
  kDiffusion,  ///< to denoise sequences of one amount of noise
  kCloning,    ///< to predict the actions themselves, by squared error (behaviour cloning)
};
const char* name_of(Objective objective);  ///< "streaming", "diffusion", "cloning"
Objective objective_of(const std::string& name);

struct Policy {
  Objective objective = Objective::kStreaming;
  std::int64_t executed = 4;  ///< Ta that it was trained for
  std::shared_ptr<Denoiser> network;
  Normaliser observations, actions;

  Chunks chunks() const { return {network->shape().horizon, network->shape().observed, executed}; }
};

/// float16 halves the file; the weights are rounded once, so that every later load gives the same numbers.
void save_policy(const std::string& path, const Policy& policy);
/// Throws Error(kNoInput), Error(kBadData) or Error(kBadRecipe), naming the file.
Policy load_policy(const std::string& path);

}  // namespace stream::diffusion_policy
