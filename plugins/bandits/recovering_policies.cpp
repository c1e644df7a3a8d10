#include "bandits/recovering_policies.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bandits/isotonic.hpp"
#include "stream/error.hpp"

namespace stream::bandits {

std::vector<std::size_t> top(const std::vector<double>& scores, std::size_t k) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  k = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
                    });
  order.resize(k);
  return order;
}

CurveEstimates::CurveEstimates(std::size_t arms, std::size_t idle, const Options& options)
    : idle_(idle),
      options_(options),
      radius_(options.width * options.sigma *
              std::sqrt(2 * std::log(std::max(2.0, static_cast<double>(options.periods))))),
      sums_(arms * idle),
      counts_(arms * idle),
      optimistic_(arms, idle) {
  for (std::size_t arm = 0; arm < arms; ++arm) refresh(arm);
}

void CurveEstimates::add(std::size_t arm, std::size_t d, double reward) {
  sums_[arm * idle_ + d - 1] += reward;
  ++counts_[arm * idle_ + d - 1];
  refresh(arm);
}

void CurveEstimates::refresh(std::size_t arm) {
  double right = options_.greatest;
  for (std::size_t d = idle_; d >= 1; --d) {
    const auto n = static_cast<double>(samples(arm, d));
    if (n > 0) right = std::min(right, mean(arm, d) + radius_ / std::sqrt(n));
    optimistic_.set(arm, d, right);
  }
}

void CurveEstimates::save(Archive& state) const {
  state.set("sums", sums_);
  state.set("counts", counts_);
}

void CurveEstimates::load(const Archive& state) {
  auto sums = state.get<std::vector<double>>("sums");
  auto counts = state.get<std::vector<std::int64_t>>("counts");
  if (sums.size() != sums_.size() || counts.size() != counts_.size())
    throw bad_data("the saved estimates are of another number of arms or idle times");
  sums_ = std::move(sums);
  counts_ = std::move(counts);
  for (std::size_t arm = 0; arm < arms(); ++arm) refresh(arm);
}

RecoveryCurves CurveEstimates::fitted() const {
  RecoveryCurves curves(arms(), idle_);
  for (std::size_t arm = 0; arm < arms(); ++arm) {
    const auto fit = isotonic(std::span(sums_).subspan(arm * idle_, idle_),
                              std::span(counts_).subspan(arm * idle_, idle_), 0.0);
    for (std::size_t d = 1; d <= idle_; ++d) curves.set(arm, d, std::max(0.0, fit[d - 1]));
  }
  return curves;
}

double value_of(const Calendar& calendar, const RecoveryCurves& curves) {
  double value = 0;
  for (const CalendarEntry& entry : calendar.entries)
    value += curves.at(entry.arm, entry.period) / static_cast<double>(entry.period);
  return value;
}

CalendarLearner::CalendarLearner(const Options& options)
    : options_(options),
      estimates_(options.arms, options.idle, options.estimates),
      idle_(options.arms, options.idle),
      pulled_after_(options.arms, options.idle) {}

void CalendarLearner::plan(std::int64_t t) {
  const RecoveryCurves& optimistic = estimates_.optimistic();
  Calendar for_optimistic = plan_calendar(optimistic, options_.slots);
  bound_ = for_optimistic.bound;
  if (phase_start_ >= 0) {
    Calendar for_fitted = plan_calendar(estimates_.fitted(), options_.slots);
    const double fresh = value_of(for_optimistic, optimistic), fitted = value_of(for_fitted, optimistic);
    const double running = value_of(calendar_, optimistic);
    phase_start_ = t;
    if (running >= std::max(fresh, fitted)) {
      value_ = running;
      return;
    }
    if (fitted > fresh) for_optimistic = std::move(for_fitted);
  }
  phase_start_ = start_ = t;
  calendar_ = std::move(for_optimistic);
  value_ = value_of(calendar_, optimistic);
}

std::vector<std::size_t> CalendarLearner::pulls(std::int64_t t) {
  if (phase_start_ < 0 || t - phase_start_ >= options_.phase) plan(t);
  std::vector<std::size_t> chosen;
  const auto since = static_cast<std::size_t>(t - start_);
  for (const CalendarEntry& entry : calendar_.entries) {
    if (since % entry.period != entry.offset) continue;
    chosen.push_back(entry.arm);
    pulled_after_[entry.arm] = idle_.at(entry.arm, t);
    idle_.pulled(entry.arm, t);
  }
  return chosen;
}

std::size_t CalendarLearner::bytes() const {
  return sizeof *this + options_.arms * options_.idle * (3 * sizeof(double)) + options_.arms * 64;
}

void CalendarLearner::save(Archive& state) const {
  estimates_.save(state.group("estimates"));
  state.set("last", idle_.last());
  state.set("pulled_after", std::vector<std::int64_t>(pulled_after_.begin(), pulled_after_.end()));
  std::vector<std::int64_t> entries;
  for (const CalendarEntry& e : calendar_.entries)
    for (const std::size_t number : {e.arm, e.period, e.offset, e.slot})
      entries.push_back(static_cast<std::int64_t>(number));
  state.set("calendar", entries);
  state.set("start", start_);
  state.set("phase_start", phase_start_);
  state.set("value", value_);
  state.set("bound", bound_);
}

void CalendarLearner::load(const Archive& state) {
  estimates_.load(state.group("estimates"));
  idle_.restore(state.get<std::vector<std::int64_t>>("last"));
  const auto after = state.get<std::vector<std::int64_t>>("pulled_after");
  pulled_after_.assign(after.begin(), after.end());
  const auto entries = state.get<std::vector<std::int64_t>>("calendar");
  calendar_.entries.clear();
  for (std::size_t i = 0; i + 4 <= entries.size(); i += 4) {
    const auto number = [&](std::size_t j) { return static_cast<std::size_t>(entries[i + j]); };
    if (number(0) >= options_.arms || number(1) == 0) throw bad_data("the saved calendar is of other arms");
    calendar_.entries.push_back({number(0), number(1), number(2), number(3)});
  }
  start_ = state.get<std::int64_t>("start");
  phase_start_ = state.get<std::int64_t>("phase_start");
  value_ = state.get<double>("value");
  bound_ = state.get<double>("bound");
}

}  // namespace stream::bandits
