#include "bandits/binomial.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace stream::bandits {

namespace {

constexpr std::uint64_t kExact = 10'000'000;

/// ln k! - (ln sqrt(2 pi) + (k + 1/2) ln(k + 1) - (k + 1)): the rest of Stirling's formula.
double stirling_rest(double k) {
  static constexpr std::array kSmall = {
      0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
      0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287};
  if (k < static_cast<double>(kSmall.size())) return kSmall[static_cast<std::size_t>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/// p <= 1/2 and n p < 10: one uniform number walks up the distribution function.
std::uint64_t by_inversion(Random& random, std::uint64_t n, double p) {
  const double odds = p / (1 - p), count = static_cast<double>(n);
  double mass = std::exp(count * std::log1p(-p)), u = random.uniform();
  std::uint64_t k = 0;
  // Beyond 200 no mass is left that a double could see.
  while (u >= mass && k < n && k < 200) {
    u -= mass;
    ++k;
    mass *= odds * (count - static_cast<double>(k) + 1) / static_cast<double>(k);
  }
  return k;
}

/// p <= 1/2 and n p >= 10.
std::uint64_t by_rejection(Random& random, std::uint64_t trials, double p) {
  const auto n = static_cast<double>(trials);
  const double spread = std::sqrt(n * p * (1 - p)), odds = p / (1 - p);
  const double b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5;
  const double squeeze = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread, mode = std::floor((n + 1) * p);
  for (;;) {
    const double u = random.uniform() - 0.5, v = random.uniform(), us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= squeeze) return static_cast<std::uint64_t>(k);
    if (k < 0 || k > n) continue;
    const double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (n - mode + 1))) +
                         (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_rest(mode) +
                         stirling_rest(n - mode) - stirling_rest(k) - stirling_rest(n - k);
    if (std::log(v * alpha / (a / (us * us) + b)) <= bound) return static_cast<std::uint64_t>(k);
  }
}

}  // namespace

std::uint64_t binomial(Random& random, std::uint64_t n, double p) {
  if (n == 0 || !(p > 0)) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  return static_cast<double>(n) * p < 10 ? by_inversion(random, n, p) : by_rejection(random, n, p);
}

double bernoulli_mean(Random& random, std::uint64_t n, double p) {
  const auto count = static_cast<double>(n);
  if (n <= kExact) return static_cast<double>(binomial(random, n, p)) / count;
  return std::clamp(p + std::sqrt(p * (1 - p) / count) * random.normal(), 0.0, 1.0);
}

}  // namespace stream::bandits
