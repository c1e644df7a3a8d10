#include "diffusion_policy/noise_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stream::diffusion_policy {

NoiseSchedule::NoiseSchedule(std::int64_t steps) {
  const auto kept_at = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  kept_.push_back(1);
  const auto n = static_cast<double>(steps);
  for (std::int64_t k = 0; k < steps; ++k) {
    const auto at = static_cast<double>(k);
    beta_.push_back(std::min(1 - kept_at((at + 1) / n) / kept_at(at / n), 0.999));
    kept_.push_back(kept_.back() * (1 - beta_.back()));
  }
}

float NoiseSchedule::noised(float clean, float noise, std::int64_t k) const {
  return static_cast<float>(std::sqrt(kept(k)) * clean + std::sqrt(1 - kept(k)) * noise);
}

float NoiseSchedule::clean_estimate(float noisy, float predicted, std::int64_t k) const {
  const double estimate = (noisy - std::sqrt(1 - kept(k)) * predicted) / std::sqrt(kept(k));
  return static_cast<float>(std::clamp(estimate, -1.0, 1.0));
}

float NoiseSchedule::denoised(float noisy, float predicted, float fresh, std::int64_t k) const {
  if (k < 0) return noisy;
  const double before = kept(k - 1), here = kept(k), b = beta(k);
  const double mean = std::sqrt(before) * b / (1 - here) * clean_estimate(noisy, predicted, k) +
                      std::sqrt(1 - b) * (1 - before) / (1 - here) * noisy;
  if (k == 0) return static_cast<float>(mean);
  return static_cast<float>(mean + std::sqrt(std::max((1 - before) / (1 - here) * b, 1e-20)) * fresh);
}

float NoiseSchedule::jumped(float noisy, float predicted, std::int64_t k, std::int64_t target) const {
  if (k < 0) return noisy;
  const double clean = clean_estimate(noisy, predicted, k);
  // The noise that the clipped estimate leaves, so that signal and noise keep adding up.
  const double noise = (noisy - std::sqrt(kept(k)) * clean) / std::sqrt(1 - kept(k));
  return static_cast<float>(std::sqrt(kept(target)) * clean + std::sqrt(1 - kept(target)) * noise);
}

std::vector<std::int64_t> ddim_steps(std::int64_t steps, std::int64_t visits) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = visits; i-- > 0;) out.push_back((i + 1) * steps / visits - 1);
  return out;
}

}  // namespace stream::diffusion_policy
