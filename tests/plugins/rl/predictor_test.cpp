#include "rl/predictor.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace stream::rl {
namespace {

TEST(Predictor, LearnsTheDiscountedFutureOfACycle) {
  // A cumulant of 1 every fourth step: at phase p the discounted future is 0.9^(3-p) / (1 - 0.9^4).
  Settings s;
  // A small constant step: that of ObGD is bounded for stability and leaves a ripple of some per cent here.
  s.hidden = {}, s.gamma = 0.9, s.rule = Rule::kSgd, s.rate = 0.02, s.scale_rewards = false;
  Predictor predictor(s, 4, 0, Random(1));
  double error = 0;
  for (int t = 0; t < 20'000; ++t) {
    double x[4] = {};
    x[t % 4] = 1;
    const auto said = predictor.observe(x, t % 4 == 0 ? 1 : 0, false);
    EXPECT_EQ(said.delta.has_value(), t > 0);
    const double truth = std::pow(0.9, 3 - t % 4) / (1 - std::pow(0.9, 4));
    if (t >= 19'000) error = std::max(error, std::abs(said.value - truth));
  }
  EXPECT_LT(error, 0.02);
}

TEST(Predictor, NothingFollowsTheEndOfAnEpisode) {
  Settings s;
  s.hidden = {8};
  Predictor predictor(s, 1, 0, Random(2));
  const double x[] = {0.5};
  EXPECT_FALSE(predictor.observe(x, 7, false).delta);
  predictor.observe(x, 1, false);
  EXPECT_EQ(predictor.observe(x, 1, true).value, 0);
  EXPECT_FALSE(predictor.observe(x, 5, false).delta) << "the first of an episode";
  EXPECT_TRUE(predictor.observe(x, 5, false).delta);
}

TEST(Predictor, AnInputTraceIsUnbiased) {
  // A constant observation is its own trace, so both see the same.
  Settings s;
  s.hidden = {8};
  Predictor plain(s, 2, 0, Random(3)), traced(s, 2, 0.99, Random(3));
  const double x[] = {0.5, -2};
  for (int t = 0; t < 50; ++t)
    EXPECT_NEAR(plain.observe(x, t % 3, false).value, traced.observe(x, t % 3, false).value, 1e-6);
}

TEST(Predictor, RefusedEventsChangeNothing) {
  Settings s;
  s.hidden = {8};
  Predictor clean(s, 2, 0.5, Random(4)), disturbed(s, 2, 0.5, Random(4));
  Random random(5);
  for (int t = 0; t < 50; ++t) {
    const double x[] = {random.normal(), random.normal()}, odd[] = {NAN, 1};
    EXPECT_THROW(disturbed.observe(odd, 1, false), Error);
    EXPECT_THROW(disturbed.observe(x, INFINITY, true), Error);
    EXPECT_THROW(disturbed.observe({x, 1}, 1, false), Error);
    const auto a = clean.observe(x, x[0], t % 20 == 19), b = disturbed.observe(x, x[0], t % 20 == 19);
    EXPECT_EQ(a.value, b.value);
    EXPECT_EQ(a.delta, b.delta);
  }
}

}  // namespace
}  // namespace stream::rl
