#include "rl/policy.hpp"

#include <algorithm>
#include <cmath>

namespace stream::rl {

namespace {
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Deviations do not reach 0, where no density is left.
constexpr double kLeastDeviation = 1e-6;
}  // namespace

std::size_t SoftmaxPolicy::sample(std::span<const double> logits, Random& random) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const double logit : logits) total += std::exp(logit - top);
  double left = random.uniform() * total;
  for (std::size_t a = 0; a + 1 < logits.size(); ++a) {
    left -= std::exp(logits[a] - top);
    if (left < 0) return a;
  }
  return logits.size() - 1;
}

void SoftmaxPolicy::gradient(std::span<const double> logits, std::size_t action, double bonus,
                             double* gradient) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (std::size_t a = 0; a < logits.size(); ++a) total += gradient[a] = std::exp(logits[a] - top);
  const double log_total = std::log(total);
  double entropy = 0;
  for (std::size_t a = 0; a < logits.size(); ++a) {
    gradient[a] /= total;
    entropy -= gradient[a] * (logits[a] - top - log_total);
  }
  // d log pi(action) / d logit = 1[a = action] - p;  d H / d logit = -p (log p + H)
  for (std::size_t a = 0; a < logits.size(); ++a) {
    const double p = gradient[a], log_p = logits[a] - top - log_total;
    gradient[a] = (a == action ? 1 - p : -p) - bonus * p * (log_p + entropy);
  }
}

void NormalPolicy::sample(std::span<const double> outputs, Random& random, double* action) {
  const std::size_t n = outputs.size() / 2;
  for (std::size_t i = 0; i < n; ++i)
    action[i] = outputs[i] + std::max(softplus(outputs[n + i]), kLeastDeviation) * random.normal();
}

void NormalPolicy::gradient(std::span<const double> outputs, std::span<const double> action, double bonus,
                            double* gradient) {
  const std::size_t n = outputs.size() / 2;
  for (std::size_t i = 0; i < n; ++i) {
    const double deviation = std::max(softplus(outputs[n + i]), kLeastDeviation);
    const double away = (action[i] - outputs[i]) / deviation;
    gradient[i] = away / deviation;
    // d log pi / d deviation = (away^2 - 1) / deviation;  H = log deviation + constant
    gradient[n + i] = (away * away - 1 + bonus) / deviation * sigmoid(outputs[n + i]);
  }
}

}  // namespace stream::rl
