#include "llm/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "stream/error.hpp"

namespace stream::llm {

std::int32_t sample(std::span<const float> logits, const SamplerOptions& o, Random& random) {
  for (const float v : logits)
    if (!std::isfinite(v)) throw bad_data("the model's prediction holds a number that is not finite");
  const auto best = std::max_element(logits.begin(), logits.end());
  if (o.temperature <= 0) return static_cast<std::int32_t>(best - logits.begin());
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  if (o.top_k > 0 && static_cast<std::size_t>(o.top_k) < order.size())
    order.resize(static_cast<std::size_t>(o.top_k));
  std::vector<double> weights;
  double sum = 0;
  for (const std::int32_t token : order) {
    weights.push_back(
        std::exp((static_cast<double>(logits[static_cast<std::size_t>(token)]) - *best) / o.temperature));
    sum += weights.back();
  }
  double kept = 0;
  std::size_t count = 0;
  while (count < weights.size() && (count == 0 || kept < o.top_p * sum)) kept += weights[count++];
  double at = random.uniform() * kept;
  for (std::size_t i = 0; i < count; ++i) {
    at -= weights[i];
    if (at < 0) return order[i];
  }
  return order[count - 1];
}

}  // namespace stream::llm
