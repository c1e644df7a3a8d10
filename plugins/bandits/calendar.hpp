/// Purely periodic calendars: which of N arms to pull in each period, K at the most.
#pragma once

#include <cstdint>
#include <vector>

#include "bandits/recovery_curves.hpp"

namespace stream::bandits {

/// Arm i is pulled at t with t mod period == offset.
struct CalendarEntry {
  std::size_t arm = 0, period = 1, offset = 0, slot = 0;
};

struct Calendar {
  std::vector<CalendarEntry> entries;  ///< by arm; arms that are never pulled are left out
  double value = 0;                    ///< sum of R_i(period) / period: reward for each period
  double bound = 0;                    ///< what no policy exceeds
};

/// The best of many roundings of the bound's pull rates. A period is rounded up to the nearest
/// (2j - 1) 2^l with j <= a, which costs at most a factor a / (a + 1); arms whose period has the same odd
/// part o share slots of o lanes, split like a buddy allocator, where none ever meets another. (Simchi-Levi,
/// Zheng and Zhu, ICML 2021: 1 - O(1/sqrt(K)) of the best.) Throws std::invalid_argument for no slots.
Calendar plan_calendar(const RecoveryCurves& curves, std::size_t slots);

}  // namespace stream::bandits
