#include "rl/policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace stream::rl {
namespace {

/// The gradient of f at x by differences.
std::vector<double> gradient_of(const std::function<double(const std::vector<double>&)>& f,
                                const std::vector<double>& x) {
  std::vector<double> out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto up = x, down = x;
    up[i] += 1e-6, down[i] -= 1e-6;
    out.push_back((f(up) - f(down)) / 2e-6);
  }
  return out;
}

TEST(SoftmaxPolicy, GradientOfLogProbabilityAndEntropy) {
  const std::vector<double> logits = {0.3, -1.2, 2.0, 0};
  for (const double bonus : {0.0, 0.01, -0.5}) {
    const auto objective = [&](const std::vector<double>& l) {
      double total = 0, entropy = 0;
      for (const double x : l) total += std::exp(x);
      for (const double x : l) entropy -= std::exp(x) / total * (x - std::log(total));
      return l[1] - std::log(total) + bonus * entropy;
    };
    std::vector<double> found(4);
    SoftmaxPolicy::gradient(logits, 1, bonus, found.data());
    const auto expected = gradient_of(objective, logits);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], expected[i], 1e-8);
  }
}

TEST(SoftmaxPolicy, DrawsInProportion) {
  const std::vector<double> logits = {0, std::log(2), std::log(5)};
  Random random(1);
  std::vector<int> drawn(3);
  for (int i = 0; i < 8000; ++i) ++drawn[SoftmaxPolicy::sample(logits, random)];
  EXPECT_NEAR(drawn[0], 1000, 120);
  EXPECT_NEAR(drawn[1], 2000, 160);
  EXPECT_NEAR(drawn[2], 5000, 200);
}

TEST(NormalPolicy, GradientOfLogProbabilityAndEntropy) {
  const std::vector<double> outputs = {0.3, -1.2, 0.5, -2}, action = {0.9, -1.3};
  const auto deviation = [](double s) { return std::log1p(std::exp(s)); };
  for (const double bonus : {0.0, 0.01, -0.5}) {
    const auto objective = [&](const std::vector<double>& o) {
      double sum = 0;
      for (std::size_t i = 0; i < 2; ++i) {
        const double d = deviation(o[2 + i]), away = (action[i] - o[i]) / d;
        sum += -0.5 * away * away - std::log(d) + bonus * std::log(d);
      }
      return sum;
    };
    std::vector<double> found(4);
    NormalPolicy::gradient(outputs, action, bonus, found.data());
    const auto expected = gradient_of(objective, outputs);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], expected[i], 1e-6);
  }
}

TEST(NormalPolicy, DrawsWithItsMeanAndDeviation) {
  const std::vector<double> outputs = {2, std::log(std::numbers::e - 1)};  // softplus of the second: 1
  Random random(2);
  double sum = 0, squares = 0;
  for (int i = 0; i < 10'000; ++i) {
    double action = 0;
    NormalPolicy::sample(outputs, random, &action);
    sum += action, squares += (action - 2) * (action - 2);
  }
  EXPECT_NEAR(sum / 10'000, 2, 0.05);
  EXPECT_NEAR(squares / 10'000, 1, 0.06);
}

}  // namespace
}  // namespace stream::rl
