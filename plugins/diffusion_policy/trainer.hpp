/// Trains a policy on demonstrations: one batch of windows, one noise regime, one update of AdamW and of the
/// moving average of the weights.
#pragma once

#include "diffusion_policy/noise_schedule.hpp"
#include "diffusion_policy/policy.hpp"
#include "nn/adamw.hpp"
#include "stream/random.hpp"

namespace stream::diffusion_policy {

struct TrainerOptions {
  Objective objective = Objective::kStreaming;
  std::int64_t steps = 4000, batch = 64, executed = 4;
  double learning_rate = 1e-3;  ///< peak; half a cosine down to 0
  std::int64_t warmup = 200;
  /// Share of the batches in which all positions have one diffusion step (the rest: chunk by chunk). The
  /// objective `diffusion` has 1.
  double constant_share = 0.2;
};

/// The diffusion steps of one sample: constant, k ~ U{0 ... N-1} for all positions; or chunk by chunk,
/// floor(N (i+1) / h) - 1 - j with j ~ U{0 ... floor(N/h) - 1}.
std::vector<std::int64_t> drawn_steps(const Chunks& chunks, std::int64_t noise_steps, bool constant,
                                      Random& random);

class Trainer {
 public:
  /// `shape`: observation and action widths are taken from the episodes. Throws Error(kBadRecipe) for shapes
  /// that cannot be.
  Trainer(const DenoiserShape& shape, TrainerOptions options, Episodes episodes, Random random);

  void step();
  bool finished() const { return step_ >= options_.steps; }
  std::int64_t steps() const { return step_; }
  double loss() const { return loss_; }  ///< running mean
  /// The policy with the averaged weights.
  Policy policy() const;

  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimizer_->state_bytes() + average_.nbytes(); }

 private:
  /// A window whose current tick is t: To observations up to it, and Tp actions from To-1 ticks before it.
  /// What lies outside the episode repeats its edge, so that every tick is the current one of a window.
  void read_window(const Episode& episode, std::int64_t tick, float* observations, float* actions) const;

  TrainerOptions options_;
  Episodes episodes_;  ///< normalised
  Normaliser observations_, actions_;
  std::vector<std::pair<std::int32_t, std::int32_t>> windows_;  ///< episode and tick
  Random random_;
  NoiseSchedule schedule_;
  std::shared_ptr<Denoiser> network_;
  std::unique_ptr<nn::AdamW> optimizer_;
  at::Tensor average_;  ///< all weights, in the order of parameters()
  std::int64_t step_ = 0;
  double loss_ = 0;
};

}  // namespace stream::diffusion_policy
