/// Single-pass algorithms: the account of pulls and arms, what happens step by step, and save and load.
#include "bandits/single_pass.hpp"

#include <gmock/gmock.h>

#include "bandits/arm_stream.hpp"
#include "bandits/simulation.hpp"
#include "bandits/tower.hpp"
#include "stream/error.hpp"

namespace stream::bandits {
namespace {

using Kind = SinglePass::Step::Kind;

TEST(ArmMemory, CountsWhatItHoldsAndGivesNothingThatIsGone) {
  ArmMemory arms(2);
  arms.arrive({"1"});
  arms.move(kArriving, 0);
  arms.arrive({"2"});
  EXPECT_EQ(arms.held(), 1u);
  arms.move(kArriving, 1);
  EXPECT_EQ(arms.held(), 2u);
  EXPECT_EQ(arms.find("2"), 1);
  arms.drop(0);
  EXPECT_EQ(arms.held(), 1u);
  EXPECT_EQ(arms.peak(), 2u);
  EXPECT_THROW(arms.at(0), std::logic_error);
  EXPECT_THROW(arms.drop(0), std::logic_error);
  arms.arrive({"3"});
  EXPECT_THROW(arms.move(kArriving, 1), std::logic_error);
  EXPECT_THROW(arms.move(kArriving, 2), std::logic_error);
  EXPECT_THROW(arms.arrive({"4"}), std::logic_error);
  EXPECT_THAT(arms.take_dropped(), ::testing::ElementsAre("1"));
}

TEST(ArmMemory, ACheckpointThatPointsBesideItsArmsIsRefused) {
  ArmMemory arms(2);
  arms.arrive({"1"});
  arms.move(kArriving, 0);
  Archive sound;
  arms.save(sound);
  EXPECT_NO_THROW(ArmMemory(2).load(sound));
  const auto forged = [&sound](const std::string& name, auto value) {
    Archive state = sound;
    state.set(name, value);
    return state;
  };
  for (const std::int64_t newest : {-3, 1, 2, 1 << 30})
    EXPECT_THROW(ArmMemory(2).load(forged("newest", newest)), Error) << newest;
  EXPECT_NO_THROW(ArmMemory(2).load(forged("newest", std::int64_t{kNowhere})));
  for (const std::uint64_t peak : {0, 3})
    EXPECT_THROW(ArmMemory(2).load(forged("peak", peak)), Error) << peak;
}

TEST(SinglePass, TheWorldRefusesWhatIsGone) {
  const std::vector<double> means{0.2, 0.8};
  SimulatedWorld world(means, Random(1));
  EXPECT_THROW(world.pull(0, 1), std::logic_error);
  world.announce(0);
  EXPECT_NO_THROW(world.pull(0, 1));
  world.gone(0);
  EXPECT_THROW(world.pull(0, 1), std::logic_error);
  EXPECT_NEAR(world.regret(), 0.6, 1e-12);
}

TEST(SinglePass, UniformStepByStep) {
  SinglePass pass({3, 1000}, {.algorithm = "uniform"});
  const auto pulls =
      static_cast<std::uint64_t>(std::llround(std::pow(1000.0 / 3, 2.0 / 3) * std::cbrt(std::log(1000.0))));
  auto step = pass.arrive({"\"a\"", 0.5});
  ASSERT_EQ(step.kind, Kind::kPull);
  EXPECT_EQ(step.pulls, pulls);
  EXPECT_EQ(step.place, kArriving);
  EXPECT_THROW(pass.arrive({"\"b\""}), Error) << "pulls are awaited";
  EXPECT_THROW(pass.answer("\"b\"", 1, 0.5), Error);
  EXPECT_THROW(pass.answer("\"a\"", pulls + 1, 0.5), Error);
  EXPECT_EQ(pass.answer("\"a\"", 1, 0.5).kind, Kind::kWait);
  EXPECT_EQ(pass.answer("\"a\"", pulls - 1, 0.5).kind, Kind::kDecided);
  pass.arrive({"\"b\"", 0.25});
  EXPECT_EQ(pass.answer("\"b\"", pulls, 0.25).kind, Kind::kDecided);
  EXPECT_EQ(pass.arms().find("\"b\""), kNowhere) << "worse than a";
  pass.arrive({"\"c\"", 0.75});
  EXPECT_EQ(pass.answer("\"c\"", pulls, 0.75).kind, Kind::kDecided);
  EXPECT_THROW(pass.arrive({"\"d\""}), Error) << "three were declared";
  step = pass.end();
  ASSERT_EQ(step.kind, Kind::kCommit);
  EXPECT_EQ(pass.arms().at(step.place).id, "\"c\"");
  EXPECT_EQ(step.pulls, 1000 - 3 * pulls);
  EXPECT_EQ(pass.explored(), 3 * pulls);
  EXPECT_NEAR(pass.regret(), static_cast<double>(pulls) * (0.25 + 0.5), 1e-9);
  EXPECT_NEAR(pass.regret_with(step.place), pass.regret(), 1e-9);
  EXPECT_EQ(pass.answer("\"c\"", step.pulls, 0.5).kind, Kind::kDone);
  EXPECT_EQ(pass.pulls(), 1000u);
  EXPECT_THROW(pass.answer("\"c\"", 1, 0.5), Error) << "no trial is left";
}

TEST(SinglePass, TheTowerPromotesAfterItsCapacity) {
  const Problem problem{1000, 1'000'000'000};
  const auto levels = Tower::log_levels(problem);
  ASSERT_EQ(levels.size(), 6u);  // floor(ln 1000)
  EXPECT_EQ(levels[0].pulls, static_cast<std::uint64_t>(std::llround(problem.unit())));
  SinglePass pass(problem, {.algorithm = "log-tower"});
  EXPECT_EQ(pass.arrive({"0"}).kind, Kind::kDecided);
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(pass.arms().held(), 1u) << "before challenge " << i;
    auto step = pass.arrive({std::to_string(i)});
    ASSERT_EQ(step.kind, Kind::kPull);
    EXPECT_EQ(pass.arms().at(step.place).id, "0");
    step = pass.answer("0", step.pulls, 0.9);
    ASSERT_EQ(step.kind, Kind::kPull);
    EXPECT_EQ(step.place, kArriving);
    EXPECT_EQ(pass.answer(std::to_string(i), step.pulls, 0.1).kind, Kind::kDecided);
  }
  EXPECT_EQ(pass.arms().find("0"), 1) << "six challenges send it up";
  EXPECT_EQ(pass.arrive({"7"}).kind, Kind::kDecided) << "the lowest level is free again";
  EXPECT_EQ(pass.arms().held(), 2u);
}

TEST(SinglePass, TheoryTakesManyMorePulls) {
  const Problem problem{1000, 1'000'000'000};
  const auto code = Tower::log_star_levels(problem), theory = Tower::log_star_theory_levels(problem);
  EXPECT_EQ(code[0].capacity, 4u);
  EXPECT_EQ(code[1].capacity, 16u);
  EXPECT_EQ(code.size(), 3u);
  EXPECT_EQ(theory[0].capacity, 16u);
  EXPECT_GT(theory[0].pulls, 500 * code[0].pulls);
}

TEST(SinglePass, PullsSumToTheTrialsAndMemoryIsAsDeclared) {
  for (const std::string& name : algorithm_names()) {
    // 400 trials are too few for most: exploration is cut short, and still adds up.
    for (const std::uint64_t trials : {400u, 20'000u, 50'000'000u}) {
      const Problem problem{200, trials};
      Random random(5);
      const auto means = arm_means({"mix-in", "ascending", 200}, random);
      const SinglePassOutcome outcome = simulate(problem, {.algorithm = name}, means, Random(trials));
      EXPECT_EQ(outcome.pulls, trials) << name;
      EXPECT_LE(outcome.peak, memory_of(problem, {.algorithm = name})) << name;
      if (name == "champion") {
        EXPECT_LE(static_cast<double>(outcome.explored), 1.5 * 200 * problem.unit());
      }
    }
  }
}

/// The descending order with a near-tie in which an algorithm that reuses old samples throws the best away.
TEST(SinglePass, FewRegretMoreThanUniformExploration) {
  Random random(2);
  const auto means = arm_means({"clear-cut", "descending", 500}, random);
  const Problem problem{500, 125'000'000'000};
  const double uniform = simulate(problem, {.algorithm = "uniform"}, means, Random(1)).regret;
  EXPECT_LT(simulate(problem, {.algorithm = "log-tower"}, means, Random(1)).regret, 0.8 * uniform);
  EXPECT_LT(simulate(problem, {.algorithm = "champion"}, means, Random(1)).regret, 0.4 * uniform);
  EXPECT_GT(simulate(problem, {.algorithm = "naive"}, means, Random(1)).regret, 1.5 * uniform);
}

TEST(SinglePass, SavedAndLoadedItGoesOnTheSame) {
  for (const std::string& name : algorithm_names()) {
    const Problem problem{60, 3'000'000};
    const auto play = [&](std::size_t stop_every) {
      auto pass = std::make_unique<SinglePass>(problem, PolicyOptions{.algorithm = name, .seed = 4});
      std::string story;
      std::size_t steps = 0;
      const auto settle = [&](SinglePass::Step step) {
        for (;;) {
          const std::string id = step.place == kNowhere ? "" : pass->arms().at(step.place).id;
          story += std::to_string(static_cast<int>(step.kind)) + ':' + id + ' ';
          if (++steps % stop_every == 0) {
            Archive state;
            pass->save(state);
            pass = std::make_unique<SinglePass>(problem, PolicyOptions{.algorithm = name, .seed = 99});
            pass->load(state);
          }
          if (step.kind != Kind::kPull) return step;
          // Any rewards will do, as long as they are the same.
          step = pass->answer(id, step.pulls,
                              static_cast<double>((std::stoul(id) * 37 + steps * 11) % 101) / 101);
        }
      };
      for (int i = 0; i < 60; ++i) settle(pass->arrive({std::to_string(i)}));
      settle(pass->end());
      return story;
    };
    const std::string whole = play(1'000'000);
    EXPECT_EQ(play(1), whole) << name;
    EXPECT_EQ(play(3), whole) << name;
  }
}

}  // namespace
}  // namespace stream::bandits
