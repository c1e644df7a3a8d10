#include "rl/controller.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "environments/cartpole.hpp"
#include "environments/pendulum.hpp"
#include "stream/error.hpp"

namespace stream::rl {
namespace {

Settings small() {
  Settings s;
  s.hidden = {16};
  return s;
}

bool any(std::span<const double> values) {
  for (const double v : values)
    if (v != 0) return true;
  return false;
}

std::vector<double> observation(Random& random) {
  return {random.normal(), random.normal(), random.normal()};
}

TEST(Controller, WatkinsCutsTracesAfterExploration) {
  Settings s = small();
  s.epsilon_first = s.epsilon_last = 0.5;
  Controller q(Algorithm::kQ, s, 3, {.choices = 4}, Random(1));
  Random random(2);
  q.begin(observation(random));
  int greedy = 0, cut = 0;
  for (int t = 0; t < 200; ++t) {
    const bool was_greedy = q.greedy();
    q.step(random.normal(), observation(random), false);
    EXPECT_EQ(any(q.value().traces()), was_greedy);
    ++(was_greedy ? greedy : cut);
  }
  // Of random draws a quarter is greedy by chance: 0.5 + 0.5 / 4.
  EXPECT_NEAR(greedy, 125, 30);
  EXPECT_EQ(greedy + cut, 200);
}

TEST(Controller, SarsaKeepsTracesAndAllAreClearedAtTheEnd) {
  for (const Algorithm algorithm : {Algorithm::kSarsa, Algorithm::kAc}) {
    Settings s = small();
    s.epsilon_first = s.epsilon_last = 1;
    Controller c(algorithm, s, 3, {.choices = 4}, Random(1));
    Random random(3);
    c.begin(observation(random));
    for (int t = 0; t < 20; ++t) {
      c.step(1, observation(random), false);
      EXPECT_TRUE(any(c.value().traces()));
    }
    c.step(1, observation(random), true);
    EXPECT_FALSE(any(c.value().traces()));
    if (c.policy() != nullptr) {
      EXPECT_FALSE(any(c.policy()->traces()));
    }
    EXPECT_FALSE(c.acting());
  }
}

TEST(Controller, NothingIsBootstrappedThroughTheEnd) {
  Settings s = small();
  s.scale_rewards = false;
  Controller c(Algorithm::kQ, s, 3, {.choices = 2}, Random(4));
  Random random(5);
  for (int episode = 0; episode < 5; ++episode) {
    c.begin(observation(random));
    for (int t = 0; t < 10; ++t) c.step(random.normal(), observation(random), false);
    const double q = c.value().outputs()[static_cast<std::size_t>(c.action()[0])];
    EXPECT_DOUBLE_EQ(c.step(3, observation(random), true).delta, 3 - q);
  }
}

TEST(Controller, OneEventIsOneUpdate) {
  Controller c(Algorithm::kAc, small(), 3, {.choices = 0, .dimensions = 2}, Random(6));
  Random random(7);
  std::int64_t events = 0;
  for (int episode = 0; episode < 3; ++episode) {
    c.begin(observation(random));
    for (int t = 0; t < 7; ++t, ++events) c.step(1, observation(random), t == 6);
  }
  EXPECT_EQ(c.value().updates(), events);
  EXPECT_EQ(c.policy()->updates(), events);
}

TEST(Controller, EpsilonFallsLinearly) {
  Settings s = small();
  s.epsilon_steps = 100;
  Controller c(Algorithm::kSarsa, s, 3, {.choices = 2}, Random(8));
  Random random(9);
  EXPECT_DOUBLE_EQ(c.epsilon(), 1);
  c.begin(observation(random));
  for (int t = 1; t < 200; ++t) {
    EXPECT_NEAR(c.epsilon(), std::max(1 - 0.0099 * t, 0.01), 1e-12);
    c.step(0, observation(random), false);
  }
}

TEST(Controller, RefusedEventsChangeNothing) {
  for (const Algorithm algorithm : {Algorithm::kQ, Algorithm::kSarsa, Algorithm::kAc}) {
    const auto run = [&](bool disturbed) {
      Controller c(algorithm, small(), 3, {.choices = 3}, Random(10));
      Random random(11);
      c.begin(observation(random));
      for (int t = 0; t < 100; ++t) {
        if (disturbed) {
          const double good[] = {1, 2, 3}, odd[] = {1, NAN, 3}, wrong[] = {3};
          EXPECT_THROW(c.step(NAN, good, false), Error);
          EXPECT_THROW(c.step(1e200, good, true), Error);
          EXPECT_THROW(c.step(1, odd, false), Error);
          EXPECT_THROW(c.step(1, {good, 2}, false), Error);
          EXPECT_THROW(c.executed(wrong), Error);
          EXPECT_THROW(c.executed({good, 2}), Error);
        }
        c.step(random.normal(), observation(random), false);
      }
      return std::vector<double>(c.value().parameters().begin(), c.value().parameters().end());
    };
    EXPECT_EQ(run(true), run(false));
  }
}

TEST(Controller, ALearnerThatDivergesSaysSo) {
  Settings s = small();
  s.rule = Rule::kSgd, s.rate = 10, s.layer_norm = s.normalize = s.scale_rewards = false;
  Controller c(Algorithm::kQ, s, 3, {.choices = 2}, Random(12));
  Random random(13);
  c.begin(observation(random));
  const auto live = [&] {
    for (int t = 0; t < 10'000; ++t) c.step(100 * random.normal(), observation(random), false);
  };
  EXPECT_THROW(live(), Error);
}

TEST(Controller, DiscreteLearnersNeedChoices) {
  EXPECT_THROW(Controller(Algorithm::kQ, small(), 3, {.choices = 0, .dimensions = 1}, Random()), Error);
  EXPECT_THROW(Controller(Algorithm::kAc, small(), 3, {.choices = 1}, Random()), Error);
}

TEST(Controller, AnActionOfTheWorldsOwnIsLearntFrom) {
  Controller c(Algorithm::kQ, small(), 3, {.choices = 3}, Random(14));
  Random random(15);
  c.begin(observation(random));
  const double other[] = {std::fmod(c.action()[0] + 1, 3)};
  const double q = c.value().outputs()[static_cast<std::size_t>(other[0])];
  c.executed(other);
  EXPECT_FALSE(c.greedy() && c.epsilon() < 0.5);
  EXPECT_NEAR(c.step(0, observation(random), true).delta, -q, 1e-12);
}

/// The episodes that a controller lives through in an environment, as their returns.
std::vector<double> returns_of(Environment& world, Controller& c, int steps, Random& seeds) {
  std::vector<double> returns{0};
  for (int t = 0; t < steps; ++t) {
    if (!c.acting()) c.begin(world.reset(seeds()));
    const Transition seen = world.step(c.action());
    returns.back() += seen.reward;
    c.step(seen.reward, seen.observation, seen.over());
    if (seen.over()) returns.push_back(0);
  }
  returns.pop_back();
  return returns;
}

TEST(Controller, StopAndResumeIsExactToTheBit) {
  for (const Algorithm algorithm : {Algorithm::kQ, Algorithm::kSarsa, Algorithm::kAc}) {
    for (const Rule rule : {Rule::kObgd, Rule::kAdaptiveObgd, Rule::kAdam}) {
      Settings s = small();
      s.rule = rule, s.time_limit = 500;
      if (rule == Rule::kAdam) s.rate = 1e-3;
      CartPole world{Params(CartPole::spec(), {})}, other{Params(CartPole::spec(), {})};
      Controller c(algorithm, s, 4, {.choices = 2}, Random(16));
      Random seeds(17), other_seeds(0);
      returns_of(world, c, 2345, seeds);
      Archive kept, kept_world;
      c.save(kept);
      world.save(kept_world);
      other_seeds.restore(seeds.state());
      Controller resumed(algorithm, s, 4, {.choices = 2}, Random(99));
      resumed.load(kept);
      other.load(kept_world);
      EXPECT_EQ(returns_of(world, c, 3000, seeds), returns_of(other, resumed, 3000, other_seeds));
      const auto a = c.value().parameters(), b = resumed.value().parameters();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
}

/// Well within what the study measures for every seed.
TEST(Controller, LearnsCartPoleAndPendulum) {
  Settings s;
  s.hidden = {32}, s.time_limit = 500;
  CartPole cart{Params(CartPole::spec(), {})};
  Controller q(Algorithm::kQ, s, 4, {.choices = 2}, Random(18));
  Random seeds(19);
  const auto poles = returns_of(cart, q, 100'000, seeds);
  double last = 0;
  for (std::size_t i = poles.size() - 20; i < poles.size(); ++i) last += poles[i] / 20;
  EXPECT_GT(last, 200);

  s.hidden = {64, 64}, s.time_limit = 200;
  Pendulum pendulum{Params(Pendulum::spec(), {})};
  Controller ac(Algorithm::kAc, s, 3, {.choices = 0, .dimensions = 1}, Random(20));
  const auto swings = returns_of(pendulum, ac, 200'000, seeds);
  last = 0;
  for (std::size_t i = swings.size() - 100; i < swings.size(); ++i) last += swings[i] / 100;
  EXPECT_GT(last, -700);
}

}  // namespace
}  // namespace stream::rl
