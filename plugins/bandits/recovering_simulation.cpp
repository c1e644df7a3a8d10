#include "bandits/recovering_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stream::bandits {

ScheduleOutcome run_calendar(const Calendar& calendar, const RecoveryCurves& curves, std::int64_t periods) {
  ScheduleOutcome outcome;
  std::vector<std::uint32_t> pulls(static_cast<std::size_t>(periods), 0);
  for (const CalendarEntry& entry : calendar.entries) {
    std::size_t idle = curves.idle();
    for (std::size_t t = entry.offset; t < pulls.size(); t += entry.period, idle = entry.period) {
      outcome.reward += curves.at(entry.arm, idle);
      ++pulls[t];
    }
  }
  outcome.most_pulls = *std::max_element(pulls.begin(), pulls.end());
  return outcome;
}

ScheduleOutcome run_greedy(const RecoveryCurves& curves, std::size_t slots, std::int64_t periods) {
  ScheduleOutcome outcome;
  IdleTimes idle(curves.arms(), curves.idle());
  std::vector<double> scores(curves.arms());
  for (std::int64_t t = 0; t < periods; ++t) {
    for (std::size_t arm = 0; arm < scores.size(); ++arm) scores[arm] = curves.at(arm, idle.at(arm, t));
    const auto chosen = top(scores, slots);
    outcome.most_pulls = std::max(outcome.most_pulls, chosen.size());
    for (const std::size_t arm : chosen) outcome.reward += scores[arm], idle.pulled(arm, t);
  }
  return outcome;
}

namespace {

/// Upper bounds on arms' means, as if idle time did not matter.
class FlatMeans {
 public:
  FlatMeans(std::size_t arms, const CurveEstimates::Options& options)
      : radius_(options.width * options.sigma *
                std::sqrt(2 * std::log(static_cast<double>(options.periods)))),
        greatest_(options.greatest),
        sums_(arms),
        counts_(arms) {}
  void add(std::size_t arm, double reward) { sums_[arm] += reward, counts_[arm] += 1; }
  double bound(std::size_t arm) const {
    return counts_[arm] == 0
               ? greatest_
               : std::min(greatest_, sums_[arm] / counts_[arm] + radius_ / std::sqrt(counts_[arm]));
  }

 private:
  double radius_, greatest_;
  std::vector<double> sums_, counts_;
};

}  // namespace

LearnerOutcome run_learner(Learner learner, const RecoveryCurves& curves, const LearnerOptions& options,
                           Random random) {
  const std::size_t arms = curves.arms();
  CalendarLearner calendar({arms, curves.idle(), options.slots, options.phase, options.estimates});
  CurveEstimates estimates(arms, curves.idle(), options.estimates);
  FlatMeans flat(arms, options.estimates);
  IdleTimes idle(arms, curves.idle());
  std::vector<double> scores(arms);
  LearnerOutcome outcome;
  for (std::int64_t t = 0; t < options.estimates.periods; ++t) {
    std::vector<std::size_t> chosen;
    if (learner == Learner::kCalendarUcb) {
      chosen = calendar.pulls(t);
    } else {
      for (std::size_t arm = 0; arm < arms; ++arm)
        scores[arm] =
            learner == Learner::kFlatUcb ? flat.bound(arm) : estimates.optimistic().at(arm, idle.at(arm, t));
      chosen = top(scores, options.slots);
    }
    for (const std::size_t arm : chosen) {
      const std::size_t d = idle.at(arm, t);
      const double expected = curves.at(arm, d),
                   observed = expected + options.estimates.sigma * random.normal();
      outcome.reward += expected;
      if (learner == Learner::kCalendarUcb) calendar.observe(arm, observed);
      if (learner == Learner::kGreedyUcb) estimates.add(arm, d, observed);
      if (learner == Learner::kFlatUcb) flat.add(arm, observed);
      idle.pulled(arm, t);
    }
  }
  outcome.last_value = value_of(calendar.calendar(), curves);
  return outcome;
}

}  // namespace stream::bandits
