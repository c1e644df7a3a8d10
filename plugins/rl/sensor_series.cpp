#include "rl/sensor_series.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "stream/random.hpp"

namespace stream::rl {

std::vector<std::array<double, 7>> sensor_series(std::size_t rows, std::uint64_t seed) {
  constexpr double kDay = 96, kWeek = 7 * kDay, kShift = 1.0 / 1000;
  constexpr std::array kHeight = {1.0, 4.0, 2.0}, kHour = {0.0, 1.5, 3.5}, kLoad = {-1.0, 0.0, 1.0};
  Random random(seed);
  std::vector<std::array<double, 7>> out(rows);
  std::size_t regime = random.below(3);
  double disturbance = 0, level = 0;
  for (std::size_t t = 0; t < rows; ++t) {
    if (random.uniform() < kShift) regime = (regime + 1 + random.below(2)) % 3;
    const double day = 2 * std::numbers::pi * static_cast<double>(t) / kDay;
    const double week = 2 * std::numbers::pi * static_cast<double>(t) / kWeek;
    disturbance = 0.98 * disturbance + 0.03 * random.normal();
    // The load follows the regime within some hours.
    level += 0.05 * (kLoad[regime] - level);
    const auto noisy = [&](double x) { return x + 0.05 * random.normal(); };
    out[t] = {noisy(std::sin(day)),
              noisy(std::cos(day)),
              noisy(std::sin(week)),
              noisy(std::cos(week)),
              noisy(level),
              noisy(disturbance),
              noisy(kHeight[regime] * std::max(0.0, std::sin(day - kHour[regime])) + 0.5 * std::sin(week) +
                    disturbance)};
  }
  return out;
}

}  // namespace stream::rl
