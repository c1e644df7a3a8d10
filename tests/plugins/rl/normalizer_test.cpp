#include "rl/normalizer.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "rl/observation_input.hpp"
#include "stream/random.hpp"

namespace stream::rl {
namespace {

TEST(ObservationNormalizer, CountsASampleBeforeItIsNormalised) {
  ObservationNormalizer normalizer(2);
  Random random(1);
  std::vector<std::vector<double>> seen;
  for (int t = 0; t < 50; ++t) {
    const std::vector<double> x = {random.normal() * 3 + 100, random.uniform()};
    double out[2];
    normalizer.preview(x, out);
    normalizer.absorb(x);
    seen.push_back(x);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto n = static_cast<double>(seen.size());
      double mean = 0, squares = 0;
      for (const auto& s : seen) mean += s[i] / n;
      for (const auto& s : seen) squares += (s[i] - mean) * (s[i] - mean);
      const double variance = seen.size() < 2 ? 1 : squares / (n - 1);
      EXPECT_NEAR(out[i], (x[i] - mean) / std::sqrt(variance + 1e-8), 1e-9);
    }
  }
}

TEST(RewardScaler, DividesByTheDeviationOfTheDiscountedSum) {
  RewardScaler scaler(0.9);
  Random random(2);
  std::vector<double> sums;
  double u = 0;
  for (int t = 0; t < 60; ++t) {
    const double reward = random.normal() + 1;
    const bool done = t % 7 == 6;
    // A terminal reward begins the new sum.
    u = (done ? 0 : 0.9 * u) + reward;
    sums.push_back(u);
    const auto n = static_cast<double>(sums.size());
    const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) / n;
    double squares = 0;
    for (const double s : sums) squares += (s - mean) * (s - mean);
    const double deviation = std::sqrt((sums.size() < 2 ? 1 : squares / (n - 1)) + 1e-8);
    EXPECT_NEAR(scaler.scale(reward, done), reward / deviation, 1e-9);
    EXPECT_NEAR(scaler.normalised_return(), u / deviation, 1e-9);
  }
}

TEST(ObservationInput, TheTimeFeatureRunsFromMinusAHalf) {
  ObservationInput input(1, true, 4);
  const double x[] = {3};
  for (int episode = 0; episode < 2; ++episode)
    for (int t = 0; t < 5; ++t) {
      input.preview(x, t == 0);
      input.commit(x);
      EXPECT_DOUBLE_EQ(input.now().back(), -0.5 + 0.25 * t);
    }
  EXPECT_EQ(ObservationInput(3, true, 0).inputs(), 3u);
}

TEST(ObservationInput, RefusesWhatIsNoObservation) {
  const ObservationInput input(2, true, 0);
  for (const std::vector<double>& x :
       {std::vector<double>{1}, {1, 2, 3}, {1, NAN}, {INFINITY, 1}, {1e101, 0}})
    EXPECT_THROW(input.check(x), Error);
}

}  // namespace
}  // namespace stream::rl
