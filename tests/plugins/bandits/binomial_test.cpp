/// Draws against the exact distribution.
#include "bandits/binomial.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace stream::bandits {
namespace {

/// Chi-square statistic of draws against the binomial distribution, over cells of at least 20 expected draws.
struct Fit {
  double statistic;
  int cells;
};
Fit fit(std::uint64_t n, double p, int draws) {
  std::vector<double> seen(n + 1, 0.0);
  Random random(7);
  for (int i = 0; i < draws; ++i) ++seen.at(binomial(random, n, p));
  Fit result{0, 0};
  double expected = 0, observed = 0;
  for (std::uint64_t k = 0; k <= n; ++k) {
    const auto x = static_cast<double>(k), m = static_cast<double>(n);
    const double log_mass = std::lgamma(m + 1) - std::lgamma(x + 1) - std::lgamma(m - x + 1) +
                            x * std::log(p) + (m - x) * std::log1p(-p);
    expected += draws * std::exp(log_mass);
    observed += seen[k];
    if (expected < 20) continue;
    result.statistic += (observed - expected) * (observed - expected) / expected;
    ++result.cells;
    expected = observed = 0;
  }
  return result;
}

TEST(Binomial, FollowsItsDistribution) {
  const struct {
    std::uint64_t n;
    double p;
  } kCases[] = {{1, 0.3}, {20, 0.1}, {20, 0.9}, {100, 0.5}, {1000, 0.012}, {1000, 0.37}, {5000, 0.73}};
  for (const auto& c : kCases) {
    const Fit f = fit(c.n, c.p, 200'000);
    ASSERT_GE(f.cells, 2);
    // Five standard deviations of a chi-square of that many degrees of freedom.
    EXPECT_LT(f.statistic, f.cells + 5 * std::sqrt(2.0 * f.cells)) << c.n << ' ' << c.p;
  }
}

TEST(Binomial, EndsOfTheRange) {
  Random random(1);
  EXPECT_EQ(binomial(random, 0, 0.5), 0u);
  EXPECT_EQ(binomial(random, 50, 0.0), 0u);
  EXPECT_EQ(binomial(random, 50, 1.0), 50u);
  EXPECT_EQ(bernoulli_mean(random, 100, 1.0), 1.0);
}

TEST(Binomial, MeansOfVeryManyHaveTheRightSpread) {
  Random random(3);
  const std::uint64_t n = 1'000'000'000;
  const double p = 0.3, sigma = std::sqrt(p * (1 - p) / static_cast<double>(n));
  double sum = 0, squares = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = (bernoulli_mean(random, n, p) - p) / sigma;
    sum += z, squares += z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.05);
  EXPECT_NEAR(squares / kDraws, 1, 0.06);
}

}  // namespace
}  // namespace stream::bandits
