/// Runs of policies for recovering arms on known curves.
#pragma once

#include <cstdint>
#include <vector>

#include "bandits/recovering_policies.hpp"

namespace stream::bandits {

struct ScheduleOutcome {
  double reward = 0;           ///< expected, in all periods together
  std::size_t most_pulls = 0;  ///< in one period
};
/// T periods of a calendar from recovered arms on.
ScheduleOutcome run_calendar(const Calendar& calendar, const RecoveryCurves& curves, std::int64_t periods);
/// T periods of pulling the K arms of greatest R_i(idle).
ScheduleOutcome run_greedy(const RecoveryCurves& curves, std::size_t slots, std::int64_t periods);

enum class Learner : std::uint8_t {
  kCalendarUcb,  ///< plans on optimistic curves, in phases
  kGreedyUcb,    ///< the K greatest U_i(idle)
  kFlatUcb,      ///< the K greatest upper bounds on a mean that ignores idle time
};
struct LearnerOptions {
  std::size_t slots = 5;
  std::int64_t phase = 128;
  CurveEstimates::Options estimates;
};
struct LearnerOutcome {
  double reward = 0;  ///< expected, in all periods together
  /// Of kCalendarUcb: what its last calendar earns each period, on the true curves.
  double last_value = 0;
};
/// The options' number of periods, when rewards are observed with normal noise of the options' sigma.
LearnerOutcome run_learner(Learner learner, const RecoveryCurves& curves, const LearnerOptions& options,
                           Random random);

}  // namespace stream::bandits
