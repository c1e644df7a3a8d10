/// Policies for arms that recover: with known curves, and learning them.
#pragma once

#include <cstdint>
#include <vector>

#include "bandits/calendar.hpp"
#include "bandits/recovery_curves.hpp"
#include "stream/archive.hpp"

namespace stream::bandits {

/// Periods since each arm was pulled, at most D; all arms start recovered.
class IdleTimes {
 public:
  IdleTimes(std::size_t arms, std::size_t idle)
      : idle_(idle), last_(arms, -static_cast<std::int64_t>(idle)) {}
  std::size_t at(std::size_t arm, std::int64_t t) const {
    return std::min(idle_, static_cast<std::size_t>(t - last_[arm]));
  }
  void pulled(std::size_t arm, std::int64_t t) { last_[arm] = t; }
  const std::vector<std::int64_t>& last() const { return last_; }
  void restore(std::vector<std::int64_t> last) { last_ = std::move(last); }

 private:
  std::size_t idle_;
  std::vector<std::int64_t> last_;  ///< period of the last pull
};

/// The K arms of greatest score, ties to the first; scores below or equal to `floor` are left out.
std::vector<std::size_t> top(const std::vector<double>& scores, std::size_t k);

/// What is known of the curves from samples, and the optimistic curves that follow: U_i(d) is the mean plus
/// c sigma sqrt(2 ln T / n), or the greatest reward where nothing was sampled; made nondecreasing from the
/// right, which is valid, because R_i is, and spares exploration.
class CurveEstimates {
 public:
  struct Options {
    double greatest = 1;            ///< reward that no mean exceeds
    double width = 0.5;             ///< c
    double sigma = 0.3;             ///< of the rewards' noise
    std::int64_t periods = 100000;  ///< T
  };
  CurveEstimates(std::size_t arms, std::size_t idle, const Options& options);
  void add(std::size_t arm, std::size_t d, double reward);
  const RecoveryCurves& optimistic() const { return optimistic_; }
  /// Nondecreasing least-squares fit of what was sampled, at least 0; idle times that were not sampled are
  /// taken for the next shorter one that was.
  RecoveryCurves fitted() const;
  std::int64_t samples(std::size_t arm, std::size_t d) const { return counts_[arm * idle_ + d - 1]; }
  double mean(std::size_t arm, std::size_t d) const {
    return sums_[arm * idle_ + d - 1] / static_cast<double>(samples(arm, d));
  }
  std::size_t arms() const { return optimistic_.arms(); }
  std::size_t idle() const { return idle_; }
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void refresh(std::size_t arm);
  std::size_t idle_;
  Options options_;
  double radius_;  ///< c sigma sqrt(2 ln T)
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
  RecoveryCurves optimistic_;
};

/// Reward for each period of a calendar's entries on these curves.
double value_of(const Calendar& calendar, const RecoveryCurves& curves);

/// Learns the curves while it runs, by phases of periods: each begins with the calendar that is best under
/// the optimistic curves, among three: the plan for the optimistic curves, the plan for the fitted ones, and
/// the calendar in use. (The last two because a planner that rounds may find for the optimistic curves a plan
/// that is worse, under those very curves, than one that it finds for others.)
class CalendarLearner {
 public:
  struct Options {
    std::size_t arms = 1, idle = 1, slots = 1;
    std::int64_t phase = 128;
    CurveEstimates::Options estimates;
  };
  explicit CalendarLearner(const Options& options);
  /// Arms to pull in period t; t rises from call to call. All of them count as pulled.
  std::vector<std::size_t> pulls(std::int64_t t);
  /// The reward of an arm that `pulls` named last.
  void observe(std::size_t arm, double reward) { estimates_.add(arm, pulled_after_[arm], reward); }
  const CurveEstimates& estimates() const { return estimates_; }
  const Calendar& calendar() const { return calendar_; }
  /// Period in which the newest phase began.
  std::int64_t phase_start() const { return phase_start_; }
  /// Bound and value of the calendar under the optimistic curves of the phase's start.
  double bound() const { return bound_; }
  double value() const { return value_; }
  std::size_t bytes() const;
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void plan(std::int64_t t);
  Options options_;
  CurveEstimates estimates_;
  IdleTimes idle_;
  std::vector<std::size_t> pulled_after_;  ///< idle time of each arm's last pull
  Calendar calendar_;
  std::int64_t start_ = 0;         ///< period 0 of the calendar
  std::int64_t phase_start_ = -1;  ///< -1: none yet
  double value_ = 0, bound_ = 0;
};

}  // namespace stream::bandits
