#include "bandits/recovering_policies.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

std::vector<std::size_t> CalendarRun::pulls(std::int64_t t) const {
  std::vector<std::size_t> arms;
  const auto since = static_cast<std::size_t>(t - start_);
  for (const CalendarEntry& entry : calendar_.entries)
    if (since % entry.period == entry.offset) arms.push_back(entry.arm);
  return arms;
}

}  // namespace stream::bandits
