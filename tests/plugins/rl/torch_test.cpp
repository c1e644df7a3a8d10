/// The kernels against libtorch's modules and automatic differentiation: one stream of samples, ten thousand
/// updates, the same weights to 1e-6.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "environments/cartpole.hpp"
#include "rl/controller.hpp"
#include "torch_learner.hpp"

namespace stream::rl {
namespace {

/// What a controller of CartPole sees and does while it learns: inputs, actions, scaled rewards.
struct Step {
  std::vector<double> x, next;
  std::size_t action;
  double reward;
  bool done, reset;
};

std::vector<Step> cartpole_steps(int count) {
  Settings settings;
  settings.hidden = {32}, settings.time_limit = 500;
  CartPole world{Params(CartPole::spec(), {})};
  Controller q(Algorithm::kQ, settings, 4, {.choices = 2}, Random(1));
  RewardScaler scaler(settings.gamma);
  Random seeds(2);
  std::vector<Step> steps;
  while (static_cast<int>(steps.size()) < count) {
    if (!q.acting()) q.begin(world.reset(seeds()));
    Step step{
        {q.input().begin(), q.input().end()}, {}, static_cast<std::size_t>(q.action()[0]), 0, false, false};
    const Transition seen = world.step(q.action());
    step.done = seen.over(), step.reset = seen.over() || !q.greedy();
    step.reward = scaler.scale(seen.reward, seen.over());
    q.step(seen.reward, seen.observation, seen.over());
    step.next.assign(q.input().begin(), q.input().end());
    steps.push_back(std::move(step));
  }
  return steps;
}

/// Q(lambda) by both along the same steps, each from values of its own. Largest difference of any value, and
/// of any weight at the end.
std::pair<double, double> differences(const Network::Shape& shape, const std::vector<Step>& steps) {
  Random random(3);
  TraceLearner ours(shape, {}, 0.9, random);
  TorchLearner theirs(shape, 1, 2);
  theirs.copy(ours.network(), ours.parameters());
  double value = 0;
  for (const Step& step : steps) {
    const auto q = ours.forward(step.x), after = ours.peek(step.next);
    const auto their_q = theirs.outputs(step.x), their_after = theirs.outputs(step.next);
    for (std::size_t a = 0; a < shape.outputs; ++a) value = std::max(value, std::abs(q[a] - their_q[a]));
    const double gamma = step.done ? 0 : 0.99;
    const double delta = step.reward + gamma * *std::max_element(after.begin(), after.end()) - q[step.action];
    const double their_delta = step.reward +
                               gamma * *std::max_element(their_after.begin(), their_after.end()) -
                               their_q[step.action];
    std::vector<double> weight(shape.outputs);
    weight[step.action] = 1;
    ours.learn(weight, delta, 0.99 * 0.8, step.reset);
    theirs.learn(step.x, step.action, 0.99 * 0.8, step.reset, [&](double) { return their_delta; });
  }
  return {value, theirs.difference(ours.network(), ours.parameters())};
}

TEST(Torch, TenThousandUpdatesGiveTheSameWeights) {
  const auto steps = cartpole_steps(10'000);
  for (const auto& hidden : {std::vector<std::size_t>{32, 32}, {20}}) {
    const auto [value, weight] = differences({.inputs = 5, .hidden = hidden, .outputs = 2}, steps);
    EXPECT_LT(value, 1e-6);
    EXPECT_LT(weight, 1e-6);
    std::printf("10000 updates: values differ by %.2g, weights by %.2g\n", value, weight);
  }
}

/// Noise for pictures: learning from it is chaotic, doubling a difference every few hundred updates, so
/// fewer.
TEST(Torch, TheNetworkOfMinAtarToo) {
  Random random(4);
  std::vector<Step> steps(300);
  for (Step& step : steps) {
    step.x.resize(400), step.next.resize(400);
    for (auto* const picture : {&step.x, &step.next})
      for (double& v : *picture) v = random.normal();
    step.action = random.below(3), step.reward = random.normal();
    step.done = random.below(50) == 0, step.reset = step.done || random.below(10) == 0;
  }
  const auto [value, weight] =
      differences({.inputs = 400, .hidden = {128}, .outputs = 3, .grid = {10, 10, 4}, .filters = 16}, steps);
  EXPECT_LT(value, 1e-6);
  EXPECT_LT(weight, 1e-6);
}

}  // namespace
}  // namespace stream::rl
