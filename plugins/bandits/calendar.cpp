#include "bandits/calendar.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <stdexcept>

namespace stream::bandits {

namespace {

/// Odd parts that periods may have.
using OddParts = std::vector<std::size_t>;

/// The least o 2^l that is not below d, over the odd parts o.
std::size_t rounded_up(std::size_t d, const OddParts& odd_parts) {
  std::size_t best = 0;
  for (const std::size_t o : odd_parts) {
    std::size_t period = o;
    while (period < d) period *= 2;
    if (best == 0 || period < best) best = period;
  }
  return best;
}

std::size_t odd_part(std::size_t period) { return period >> std::countr_zero(period); }

/// t mod period == offset in one slot.
struct Lane {
  std::size_t period, offset, slot;
};

/// Free lanes of the slots of one odd part.
class Lanes {
 public:
  void add_slot(std::size_t odd, std::size_t slot) {
    for (std::size_t q = 0; q < odd; ++q) free_.push_back({odd, q, slot});
  }
  /// A lane of this period, split off the free one with the largest period not above it. With periods asked
  /// for in rising order there is one as long as their reciprocals add up to the slots at the most.
  Lane take(std::size_t period) {
    auto best = free_.end();
    for (auto lane = free_.begin(); lane != free_.end(); ++lane)
      if (lane->period <= period && (best == free_.end() || lane->period > best->period)) best = lane;
    if (best == free_.end()) throw std::logic_error("no lane is left for a period that must fit");
    Lane lane = *best;
    free_.erase(best);
    while (lane.period < period) {
      free_.push_back({2 * lane.period, lane.offset + lane.period, lane.slot});
      lane.period *= 2;
    }
    return lane;
  }
  const std::vector<Lane>& free() const { return free_; }

 private:
  std::vector<Lane> free_;
};

/// One rounding of chosen idle times to periods, laid out in slots; empty when it needs too many.
class Layout {
 public:
  Layout(const RecoveryCurves& curves, std::size_t slots) : curves_(curves), slots_(slots) {}

  bool lay_out(const std::vector<EnvelopeVertex>& chosen, const OddParts& odd_parts) {
    std::map<std::size_t, std::vector<CalendarEntry>> families;
    used_.assign(chosen.size(), false);
    for (std::size_t arm = 0; arm < chosen.size(); ++arm) {
      if (chosen[arm].idle == 0) continue;
      const std::size_t period = rounded_up(chosen[arm].idle, odd_parts);
      families[odd_part(period)].push_back({arm, period});
    }
    std::size_t slot = 0;
    std::vector<Lane> free;
    for (auto& [odd, family] : families) {
      const std::size_t needed = slots_for(odd, family);
      if (slot + needed > slots_) return false;
      Lanes lanes;
      for (std::size_t s = 0; s < needed; ++s) lanes.add_slot(odd, slot++);
      std::stable_sort(family.begin(), family.end(),
                       [](const auto& a, const auto& b) { return a.period < b.period; });
      for (const CalendarEntry& entry : family) add(entry.arm, lanes.take(entry.period));
      free.insert(free.end(), lanes.free().begin(), lanes.free().end());
    }
    for (; slot < slots_; ++slot) free.push_back({1, 0, slot});
    fill(free);
    return true;
  }
  const Calendar& calendar() const { return calendar_; }

 private:
  /// ceil(sum of 1/period), in whole numbers: 1/period = (longest/period) / longest.
  static std::size_t slots_for(std::size_t, const std::vector<CalendarEntry>& family) {
    std::size_t longest = 1, sum = 0;
    for (const CalendarEntry& entry : family) longest = std::max(longest, entry.period);
    for (const CalendarEntry& entry : family) sum += longest / entry.period;
    return (sum + longest - 1) / longest;
  }
  void add(std::size_t arm, const Lane& lane) {
    used_[arm] = true;
    calendar_.entries.push_back({arm, lane.period, lane.offset, lane.slot});
    calendar_.value += curves_.at(arm, lane.period) / static_cast<double>(lane.period);
  }
  /// Gives every lane that is left to the unused arm that earns most in it, short periods first.
  void fill(std::vector<Lane>& free) {
    std::stable_sort(free.begin(), free.end(),
                     [](const Lane& a, const Lane& b) { return a.period < b.period; });
    for (const Lane& lane : free) {
      std::size_t best = used_.size();
      for (std::size_t arm = 0; arm < used_.size(); ++arm) {
        if (used_[arm] || curves_.at(arm, lane.period) <= 0) continue;
        if (best == used_.size() || curves_.at(arm, lane.period) > curves_.at(best, lane.period)) best = arm;
      }
      if (best < used_.size()) add(best, lane);
    }
  }

  const RecoveryCurves& curves_;
  std::size_t slots_;
  std::vector<bool> used_;
  Calendar calendar_;
};

}  // namespace

Calendar plan_calendar(const RecoveryCurves& curves, std::size_t slots) {
  if (slots == 0) throw std::invalid_argument("a calendar without slots");
  const auto envelopes = envelopes_of(curves);
  Calendar best;
  best.value = -1;
  const auto consider = [&](const std::vector<EnvelopeVertex>& chosen, const OddParts& odd_parts) {
    Layout layout(curves, slots);
    if (layout.lay_out(chosen, odd_parts) && layout.calendar().value > best.value) best = layout.calendar();
  };
  const double whole_bound = reward_bound(envelopes, static_cast<double>(slots)).value;
  const auto most = std::max<std::size_t>(
      6, static_cast<std::size_t>(std::ceil(2 * std::sqrt(static_cast<double>(slots)))) + 2);
  // At most a - 1 slots are lost to the ceilings of a families: so many are given up beforehand.
  std::vector<RewardBound> bounds;
  for (std::size_t drop = 0; drop < std::min(most, slots); ++drop)
    bounds.push_back(reward_bound(envelopes, static_cast<double>(slots - drop)));
  OddParts odd_parts;
  for (std::size_t a = 1; a <= most; ++a) {
    odd_parts.push_back(2 * a - 1);
    for (std::size_t drop = 0; drop < std::min(a, slots); ++drop) consider(bounds[drop].chosen, odd_parts);
  }
  for (const std::size_t odd : {3, 5, 7}) consider(bounds[0].chosen, {odd});
  best.bound = whole_bound;
  std::sort(best.entries.begin(), best.entries.end(),
            [](const auto& a, const auto& b) { return a.arm < b.arm; });
  return best;
}

}  // namespace stream::bandits
