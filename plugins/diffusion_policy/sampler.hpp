/// Actions out of a policy: the rolling buffer of streaming diffusion policy, and what it is compared with.
#pragma once

#include <functional>

#include "diffusion_policy/noise_schedule.hpp"
#include "diffusion_policy/policy.hpp"
#include "stream/random.hpp"

namespace stream::diffusion_policy {

/// How actions are drawn.
enum class Sampling : std::uint8_t {
  kStreaming,  ///< the buffer is kept from call to call, N/h network calls each
  kFull,       ///< from pure noise in every call: N network calls (diffusion policy with DDPM)
  kImplicit,   ///< from pure noise in every call, with few deterministic steps (DDIM)
  kDirect,     ///< one network call predicts the actions (behaviour cloning)
};
/// What the buffer holds before the first call of an episode.
enum class Start : std::uint8_t {
  kZero,      ///< noise around the middle of the demonstrated actions
  kConstant,  ///< noise around the action 0, in the demonstrations' own units: for commands relative to now
  kDenoised,  ///< a sequence denoised from pure noise, in N network calls
};

struct SamplerOptions {
  Sampling sampling = Sampling::kStreaming;
  Start start = Start::kZero;
  std::int64_t implicit_steps = 12;  ///< network calls of kImplicit
  /// Whether the past positions get the noise of their new label when the buffer rolls. The published code
  /// changes the labels and drops the noisy values that it has computed.
  bool renoise_past = true;
};

/// The buffers of several robots that tick together. Every robot draws from a generator of its own, so that
/// nothing depends on who else is there, up to the rounding of batched products.
class Sampler {
 public:
  Sampler(Policy policy, SamplerOptions options);

  /// Forgets everything: new episodes, one for each generator.
  void reset(std::vector<Random> robots);
  /// One call: the last To observations of every robot, [B, To, Do] in the demonstrations' units, give the
  /// next Ta actions, [B, Ta, Da].
  std::vector<float> call(std::span<const float> observations);
  /// Of the last `call`.
  std::int64_t network_calls() const { return network_calls_; }

  const Policy& policy() const { return policy_; }
  std::int64_t robots() const { return static_cast<std::int64_t>(random_.size()); }
  /// [B, Tp, Da], normalised, and the diffusion step of each position; empty before the first call.
  const std::vector<float>& buffer() const { return x_; }
  const std::vector<std::int64_t>& steps() const { return k_; }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  void start_buffer(const at::Tensor& condition);
  void roll();
  at::Tensor predict(const at::Tensor& condition);
  /// One step of every position that is not clean.
  void denoise(const at::Tensor& condition);
  void fill_with_noise();
  float* row(std::int64_t robot, std::int64_t position) {
    return x_.data() + (robot * chunks_.horizon + position) * width_;
  }

  Policy policy_;
  SamplerOptions options_;
  Chunks chunks_;
  std::int64_t width_;  ///< Da
  NoiseSchedule schedule_;
  std::vector<Random> random_;
  std::vector<float> x_;
  std::vector<std::int64_t> k_;
  std::int64_t network_calls_ = 0;
};

}  // namespace stream::diffusion_policy
