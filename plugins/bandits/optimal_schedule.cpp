#include "bandits/optimal_schedule.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

namespace stream::bandits {

double optimal_reward(const RecoveryCurves& curves, double tolerance) {
  constexpr std::size_t kMostStates = 1'000'000;
  const std::size_t n = curves.arms(), idle = curves.idle();
  std::size_t states = 1;
  for (std::size_t i = 0; i < n; ++i) {
    states *= idle;
    if (states > kMostStates)
      throw std::invalid_argument("too many vectors of idle times for value iteration");
  }
  // Action a < n pulls that arm, action n rests. Digits of a state are idle times - 1.
  std::vector<std::size_t> next(states * (n + 1));
  std::vector<double> reward(states * (n + 1), 0.0);
  std::vector<std::size_t> digits(n);
  for (std::size_t s = 0; s < states; ++s) {
    std::size_t rest = s;
    for (std::size_t i = 0; i < n; ++i) digits[i] = rest % idle, rest /= idle;
    for (std::size_t a = 0; a <= n; ++a) {
      std::size_t to = 0;
      for (std::size_t i = n; i-- > 0;) to = to * idle + (i == a ? 0 : std::min(digits[i] + 1, idle - 1));
      next[s * (n + 1) + a] = to;
      if (a < n) reward[s * (n + 1) + a] = curves.at(a, digits[a] + 1);
    }
  }
  // Half of the time nothing happens, which makes every policy aperiodic and halves the average.
  constexpr double kLazy = 0.5;
  constexpr int kMostRounds = 1'000'000;
  std::vector<double> value(states, 0.0), updated(states);
  for (int round = 0; round < kMostRounds; ++round) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t s = 0; s < states; ++s) {
      double best = -std::numeric_limits<double>::infinity();
      for (std::size_t a = 0; a <= n; ++a)
        best = std::max(best, reward[s * (n + 1) + a] + value[next[s * (n + 1) + a]]);
      updated[s] = kLazy * best + (1 - kLazy) * value[s];
      const double gain = (updated[s] - value[s]) / kLazy;
      low = std::min(low, gain), high = std::max(high, gain);
    }
    if (high - low <= tolerance) return low;
    const double origin = updated[0];
    for (std::size_t s = 0; s < states; ++s) value[s] = updated[s] - origin;
  }
  throw std::runtime_error("value iteration has not come to rest");
}

}  // namespace stream::bandits
