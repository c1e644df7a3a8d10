/// Recovering rewards: the bound, calendars, the exact optimum, estimates.
#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "bandits/calendar.hpp"
#include "bandits/isotonic.hpp"
#include "bandits/optimal_schedule.hpp"
#include "bandits/recovering_policies.hpp"
#include "bandits/recovering_simulation.hpp"
#include "bandits/study_recovering.hpp"
#include "stream/testing.hpp"

namespace stream::bandits {
namespace {

RecoveryCurves curves(const std::vector<std::vector<double>>& lists) {
  RecoveryCurves made(lists.size(), lists[0].size());
  for (std::size_t arm = 0; arm < lists.size(); ++arm)
    for (std::size_t d = 1; d <= lists[arm].size(); ++d) made.set(arm, d, lists[arm][d - 1]);
  return made;
}

TEST(RewardBound, ByHand) {
  // Arm 0 pays 0.2 when pulled always and 1 after two periods: rates (1/2, 1/2) and (1, 0.2): the envelope
  // ends at 1/2. Arm 1 pays 0.3 always: (1, 0.3) on a straight line.
  const RecoveryCurves two = curves({{0.2, 1.0}, {0.3, 0.3}});
  const auto envelopes = envelopes_of(two);
  ASSERT_EQ(envelopes[0].size(), 2u);
  EXPECT_EQ(envelopes[0][1].idle, 2u);
  EXPECT_EQ(envelopes[1].back().idle, 1u);
  const RewardBound one = reward_bound(envelopes, 1);
  EXPECT_DOUBLE_EQ(one.value, 0.5 + 0.5 * 0.3);
  EXPECT_EQ(one.chosen[0].idle, 2u);
  EXPECT_DOUBLE_EQ(reward_bound(envelopes, 2).value, 0.5 + 0.3);
  EXPECT_DOUBLE_EQ(optimal_reward(two), 0.65) << "the two arms in turn";
  EXPECT_NEAR(plan_calendar(two, 1).value, 0.65, 1e-12);
}

TEST(Calendar, NeverClashesAndPaysWhatItPlans) {
  Random random(11);
  for (int type = 0; type < 4; ++type) {
    for (const std::size_t slots : {1, 2, 7, 20}) {
      const RecoveryCurves known = recovery_instance(type, 40, 24, random);
      const Calendar calendar = plan_calendar(known, slots);
      std::set<std::size_t> arms;
      double value = 0;
      for (const CalendarEntry& e : calendar.entries) {
        EXPECT_TRUE(arms.insert(e.arm).second);
        EXPECT_LT(e.offset, e.period);
        EXPECT_LT(e.slot, slots);
        value += known.at(e.arm, e.period) / static_cast<double>(e.period);
        for (const CalendarEntry& other : calendar.entries) {
          if (other.arm >= e.arm || other.slot != e.slot) continue;
          const std::size_t common = std::gcd(e.period, other.period);
          EXPECT_NE(e.offset % common, other.offset % common) << "two arms of one slot meet";
        }
      }
      EXPECT_NEAR(value, calendar.value, 1e-9);
      EXPECT_LE(calendar.value, calendar.bound + 1e-9);
      const ScheduleOutcome run = run_calendar(calendar, known, 20000);
      EXPECT_LE(run.most_pulls, slots);
      EXPECT_NEAR(run.reward / 20000, calendar.value, 0.004 * calendar.value);
    }
  }
}

TEST(OptimalSchedule, IsBetweenPlanAndBound) {
  Random random(4);
  for (int i = 0; i < 12; ++i) {
    const RecoveryCurves known = recovery_instance(i % 3, 3, 4, random);
    const Calendar calendar = plan_calendar(known, 1);
    const double optimum = optimal_reward(known);
    EXPECT_LE(optimum, calendar.bound + 1e-6);
    EXPECT_GE(optimum, calendar.value - 1e-6);
    EXPECT_GE(optimum, run_greedy(known, 1, 3000).reward / 3000 - 0.01);
  }
  EXPECT_THROW(optimal_reward(RecoveryCurves(30, 30)), std::invalid_argument);
}

TEST(Isotonic, ByHand) {
  const std::vector<double> sums{0, 6, 4, 0, 5};
  const std::vector<std::int64_t> counts{0, 2, 2, 0, 1};
  // Means 3 and 2 pool to 2.5.
  EXPECT_THAT(isotonic(sums, counts, -1), ::testing::ElementsAre(-1, 2.5, 2.5, 2.5, 5));
}

TEST(CurveEstimates, OptimismIsRepairedFromTheRight) {
  CurveEstimates estimates(1, 3, {.greatest = 1, .width = 0.5, .sigma = 0.1, .periods = 100});
  EXPECT_EQ(estimates.optimistic().at(0, 1), 1);
  for (int i = 0; i < 400; ++i) estimates.add(0, 2, 0.4);
  const double bound = 0.4 + 0.5 * 0.1 * std::sqrt(2 * std::log(100.0)) / 20;
  EXPECT_NEAR(estimates.optimistic().at(0, 2), bound, 1e-12);
  EXPECT_NEAR(estimates.optimistic().at(0, 1), bound, 1e-12) << "shorter rests pay no more";
  EXPECT_EQ(estimates.optimistic().at(0, 3), 1);
}

TEST(Learners, CalendarsBeatTheGreedyInTheLongRun) {
  Random random(1);
  const RecoveryCurves known = recovery_instance(2, 12, 8, random);
  LearnerOptions options;
  options.slots = 2;
  options.estimates.periods = 20000;
  const auto reward = [&](Learner learner) { return run_learner(learner, known, options, Random(5)).reward; };
  const double calendar = reward(Learner::kCalendarUcb);
  EXPECT_GT(calendar, 0.93 * 20000 * plan_calendar(known, 2).value);
  EXPECT_GT(calendar, 1.1 * reward(Learner::kFlatUcb));
}

std::vector<Object> claims(const Object& params) {
  auto op = testing::make<RecoveringStudy>(params, {.seed = 1});
  auto out = testing::drain(dynamic_cast<Source&>(*op));
  std::vector<Object> found;
  for (const Packet& p : out.packets[0])
    if (p.as<Record>().find("claim")) found.push_back(p.as<Record>().object());
  return found;
}

TEST(StudyRecovering, WhatIsExactHolds) {
  const auto found =
      claims({{"parts", Array{"offline", "tiny"}}, {"instances", 2}, {"tiny", 3}, {"periods", 10000}});
  int exact = 0;
  for (const Object& c : found) {
    const std::string& what = c.find("claim")->as_string();
    if (!what.starts_with("calendars that") && !what.starts_with("plan or greedy") &&
        !what.starts_with("exact optimum"))
      continue;
    ++exact;
    EXPECT_TRUE(c.find("held")->as_bool()) << Value(c).dump();
  }
  EXPECT_EQ(exact, 3);
}

/// Over so short a time no learner has learnt anything.
TEST(StudyRecovering, BarsCanBeMissed) {
  bool missed = false;
  for (const Object& c :
       claims({{"parts", Array{"online"}}, {"online_instances", 1}, {"online_periods", 1600}}))
    missed = missed || !c.find("held")->as_bool();
  EXPECT_TRUE(missed);
}

}  // namespace
}  // namespace stream::bandits
