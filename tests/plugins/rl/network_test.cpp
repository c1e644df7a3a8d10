#include "rl/network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "rl/aligned.hpp"
#include "rl/trace_learner.hpp"

namespace stream::rl {
namespace {

std::vector<Network::Shape> shapes() {
  std::vector<Network::Shape> all;
  for (const bool norm : {true, false}) {
    all.push_back({.inputs = 5, .hidden = {}, .outputs = 3, .layer_norm = norm});
    all.push_back({.inputs = 5, .hidden = {7}, .outputs = 2, .layer_norm = norm});
    all.push_back({.inputs = 9, .hidden = {16, 5, 8}, .outputs = 1, .layer_norm = norm});
    all.push_back({.inputs = 5 * 4 * 2,
                   .hidden = {11},
                   .outputs = 9,
                   .layer_norm = norm,
                   .grid = {5, 4, 2},
                   .filters = 8});
  }
  return all;
}

Doubles noise(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Doubles out(n);
  for (double& x : out) x = random.normal();
  return out;
}

TEST(Network, TracesAreTheGradientOfTheOutput) {
  for (const auto& shape : shapes()) {
    const Network network(shape);
    Random random(1);
    Doubles w(network.parameters()), z(w.size()), a(network.activations());
    network.initialise(w.data(), random, 0.3);
    const auto x = noise(shape.inputs, 2), weight = noise(shape.outputs, 3);
    const auto value = [&](const Doubles& at) {
      Doubles scratch(network.activations());
      const auto y = network.forward(at.data(), x, scratch.data());
      double sum = 0;
      for (std::size_t o = 0; o < y.size(); ++o) sum += weight[o] * y[o];
      return sum;
    };
    network.forward(w.data(), x, a.data());
    const double norm = network.trace(w.data(), a.data(), weight, 0.5, z.data());
    double expected_norm = 0;
    std::size_t checked = 0;
    for (std::size_t layer = 0; layer < network.layers(); ++layer)
      for (std::size_t out = 0; out < network.units(layer); ++out)
        for (std::size_t in = 0; in <= network.fan_in(layer); ++in, ++checked) {
          const std::size_t i = network.index(layer, out, in);
          Doubles up = w, down = w;
          up[i] += 1e-5, down[i] -= 1e-5;
          EXPECT_NEAR(z[i], (value(up) - value(down)) / 2e-5, 1e-5 * (1 + std::abs(z[i])));
          expected_norm += std::abs(z[i]);
        }
    // Whatever fills rows up has no gradient.
    EXPECT_NEAR(norm, expected_norm, 1e-9 * norm);
    EXPECT_GT(checked, 5u);
    // A second call adds to what the first has left, decayed.
    const Doubles before = z;
    network.trace(w.data(), a.data(), weight, 0.5, z.data());
    for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(z[i], 1.5 * before[i], 1e-9);
  }
}

TEST(Network, ThreeStepsOfTracesAreTheDecayedSumOfGradients) {
  const Network::Shape shape{.inputs = 4, .hidden = {8}, .outputs = 2};
  Random random(4);
  TraceLearner learner(shape, {.rule = Rule::kSgd, .rate = 0.01}, 0.5, random);
  const Network& network = learner.network();
  Doubles expected(network.parameters());
  const double weight[] = {1, 0};
  for (std::uint64_t t = 0; t < 3; ++t) {
    const auto x = noise(4, 10 + t);
    Doubles gradient(network.parameters()), a(network.activations());
    network.forward(learner.parameters().data(), x, a.data());
    network.trace(learner.parameters().data(), a.data(), weight, 0, gradient.data());
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 0.792 * expected[i] + gradient[i];
    learner.forward(x);
    learner.learn(weight, 0.5, 0.99 * 0.8, false);
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(learner.traces()[i], expected[i], 1e-12);
  }
  learner.forward(noise(4, 20));
  learner.learn(weight, 0.5, 0.792, true);
  for (const double z : learner.traces()) EXPECT_EQ(z, 0);
}

TEST(Network, SparseInitialisationLeavesATenthOfEachUnitsInputs) {
  Random random(5);
  for (const auto& shape : shapes()) {
    const Network network(shape);
    Doubles w(network.parameters());
    network.initialise(w.data(), random, 0.9);
    for (std::size_t layer = 0; layer < network.layers(); ++layer) {
      const std::size_t n = network.fan_in(layer);
      const double bound = 1 / std::sqrt(static_cast<double>(n));
      for (std::size_t out = 0; out < network.units(layer); ++out) {
        std::size_t zeros = 0;
        for (std::size_t in = 0; in < n; ++in) {
          const double weight = w[network.index(layer, out, in)];
          zeros += weight == 0 ? 1 : 0;
          EXPECT_LE(std::abs(weight), bound);
        }
        EXPECT_EQ(zeros, static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(n) - 1e-9)));
        EXPECT_EQ(w[network.index(layer, out, n)], 0) << "a bias";
      }
    }
  }
}

TEST(Network, OutputsDoNotDependOnWhatTheScratchHeld) {
  for (const auto& shape : shapes()) {
    const Network network(shape);
    Random random(6);
    Doubles w(network.parameters()), clean(network.activations()), used = noise(network.activations(), 7);
    network.initialise(w.data(), random, 0);
    const auto x = noise(shape.inputs, 8);
    const auto a = network.forward(w.data(), x, clean.data()), b = network.forward(w.data(), x, used.data());
    for (std::size_t o = 0; o < a.size(); ++o) EXPECT_EQ(a[o], b[o]);
  }
}

TEST(Network, ImpossibleShapesAreRefused) {
  EXPECT_THROW(Network({.inputs = 0, .hidden = {}, .outputs = 1}), std::logic_error);
  EXPECT_THROW(Network({.inputs = 1, .hidden = {0}, .outputs = 1}), std::logic_error);
  EXPECT_THROW(Network({.inputs = 10, .hidden = {}, .outputs = 1, .grid = {3, 3, 1}, .filters = 8}),
               std::logic_error);
  EXPECT_THROW(Network({.inputs = 9, .hidden = {}, .outputs = 1, .grid = {3, 3, 1}, .filters = 3}),
               std::logic_error);
}

/// sum |dw| <= 1/kappa for every update, whatever the TD error.
TEST(TraceLearner, ObgdBoundsEveryUpdate) {
  for (const Rule rule : {Rule::kObgd, Rule::kAdaptiveObgd}) {
    for (const double kappa : {2.0, 3.0, 0.5}) {
      Random random(9);
      TraceLearner learner({.inputs = 6, .hidden = {16}, .outputs = 2}, {.rule = rule, .kappa = kappa}, 0.9,
                           random);
      double largest = 0;
      for (int t = 0; t < 400; ++t) {
        const Doubles before(learner.parameters().begin(), learner.parameters().end());
        learner.forward(noise(6, static_cast<std::uint64_t>(t)));
        const double weight[] = {random.normal(), random.normal()};
        const double delta = random.normal() * std::pow(10.0, static_cast<double>(t % 9) - 3);
        learner.learn(weight, delta, 0.792, t % 50 == 49);
        double moved = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
          moved += std::abs(learner.parameters()[i] - before[i]);
        ASSERT_LE(moved, 1 / kappa + 1e-9);
        largest = std::max(largest, moved);
      }
      EXPECT_GT(largest, 0.9 / kappa) << "the bound was never tried";
    }
  }
}

}  // namespace
}  // namespace stream::rl
