/// Arms and rewards as records carry them.
#pragma once

#include <cstdint>
#include <string>

#include "stream/packet.hpp"
#include "stream/params.hpp"

namespace stream::bandits {

/// Declared bounds of a reward; algorithms see it scaled to [0, 1].
class RewardRange {
 public:
  /// Throws Error(kBadRecipe) unless both are finite and low < high.
  RewardRange(double low, double high);
  /// Of parameters `low` and `high`.
  explicit RewardRange(const Params& params)
      : RewardRange(params.get<double>("low"), params.get<double>("high")) {}
  double low() const { return low_; }
  double high() const { return high_; }
  /// The mean of n rewards that sum to `sum`, scaled. Throws Error(kBadData) when it is no number or out of
  /// bounds by more than rounding.
  double scaled_mean(double sum, std::uint64_t n) const;
  double unscaled(double mean) const { return low_ + mean * (high_ - low_); }

 private:
  double low_, high_;
};

/// An arm's id as JSON text: a string of at most 1024 bytes, or an integer. The integer 7 and the string "7"
/// are two arms. Throws Error(kBadData) for anything else.
std::string arm_id(const Value& value);
/// The id as a value again.
Value id_value(const std::string& id);
/// The member as a finite number; throws Error(kBadData) that names it.
double number_of(const Value& value, const char* member);

}  // namespace stream::bandits
