#include "llm/positions.hpp"

#include <algorithm>
#include <cmath>

namespace stream::llm {

std::vector<float> alibi_slopes(std::int64_t heads) {
  const auto powers = [](std::int64_t n) {
    std::vector<float> out;
    for (std::int64_t i = 1; i <= n; ++i)
      out.push_back(
          static_cast<float>(std::pow(2.0, -8.0 * static_cast<double>(i) / static_cast<double>(n))));
    return out;
  };
  std::int64_t whole = 1;
  while (2 * whole <= heads) whole *= 2;
  std::vector<float> slopes = powers(whole);
  const std::vector<float> finer = powers(2 * whole);
  for (std::size_t i = 0; static_cast<std::int64_t>(slopes.size()) < heads; i += 2)
    slopes.push_back(finer[i]);
  return slopes;
}

std::int64_t relative_bucket(std::int64_t distance) {
  constexpr std::int64_t kExact = kRelativeBuckets / 2, kFar = 128;
  if (distance < kExact) return std::max<std::int64_t>(0, distance);
  const double growth = std::log(static_cast<double>(distance) / static_cast<double>(kExact)) /
                        std::log(static_cast<double>(kFar) / static_cast<double>(kExact));
  const auto steps = static_cast<std::int64_t>(growth * static_cast<double>(kRelativeBuckets - kExact));
  return std::min(kExact + steps, kRelativeBuckets - 1);
}

void add_sinusoid(std::int64_t position, float* x, std::int64_t width) {
  const std::int64_t half = width / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const double angle = static_cast<double>(position) *
                         std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(width));
    x[i] += static_cast<float>(std::sin(angle));
    x[half + i] += static_cast<float>(std::cos(angle));
  }
}

}  // namespace stream::llm
