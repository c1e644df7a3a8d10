/// Noise whose amount differs from position to position of an action sequence.
///
/// A. Q. Nichol, P. Dhariwal, Improved denoising diffusion probabilistic models, ICML 2021 (the cosine
/// schedule); J. Ho, A. Jain, P. Abbeel, Denoising diffusion probabilistic models, NeurIPS 2020 (the step);
/// S. H. Hoeg, Y. Du, O. Egeland, arXiv 2406.04806 (a step k of its own for each position).
#pragma once

#include <cstdint>
#include <vector>

namespace stream::diffusion_policy {

class NoiseSchedule {
 public:
  /// `steps`: N. beta_k = min(1 - abar((k+1)/N) / abar(k/N), 0.999), abar(t) = cos^2((t+0.008)/1.008 pi/2).
  explicit NoiseSchedule(std::int64_t steps);

  std::int64_t steps() const { return static_cast<std::int64_t>(kept_.size()) - 1; }
  /// A_k, the share of the signal's variance that is kept after k+1 steps of noise; 1 for k = -1 (clean).
  double kept(std::int64_t k) const { return kept_[static_cast<std::size_t>(k + 1)]; }
  double beta(std::int64_t k) const { return beta_[static_cast<std::size_t>(k)]; }

  /// sqrt(A_k) x0 + sqrt(1 - A_k) noise.
  float noised(float clean, float noise, std::int64_t k) const;
  /// One step of DDPM from k to k-1 with a network that predicts the noise: the estimate of x0 is clipped to
  /// [-1, 1], and for k > 0 the posterior's deviation times `fresh` is added. A clean value (k = -1) stays.
  float denoised(float noisy, float predicted, float fresh, std::int64_t k) const;
  /// One deterministic step of DDIM from k to `target` < k (Song, Meng, Ermon, ICLR 2021; eta = 0).
  float jumped(float noisy, float predicted, std::int64_t k, std::int64_t target) const;

 private:
  float clean_estimate(float noisy, float predicted, std::int64_t k) const;
  std::vector<double> kept_;  ///< A_k at k+1
  std::vector<double> beta_;
};

/// The steps that DDIM visits, from the noisiest down; -1 follows the last. Evenly spaced over 0 ... N-1.
std::vector<std::int64_t> ddim_steps(std::int64_t steps, std::int64_t visits);

}  // namespace stream::diffusion_policy
