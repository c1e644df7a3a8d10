/// Rewards that recover with idle time, and what no schedule can earn more than.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "stream/random.hpp"

namespace stream::bandits {

/// R_i(d): expected reward of arm i, pulled d periods after its last pull. Nondecreasing in d, constant from
/// d = D on.
class RecoveryCurves {
 public:
  /// All zero. Throws std::invalid_argument unless arms >= 1 and idle >= 1.
  RecoveryCurves(std::size_t arms, std::size_t idle);
  std::size_t arms() const { return arms_; }
  std::size_t idle() const { return idle_; }  ///< D
  /// d >= 1; greater ones than D stand for D.
  double at(std::size_t arm, std::size_t d) const { return values_[arm * idle_ + std::min(d, idle_) - 1]; }
  /// 1 <= d <= D.
  void set(std::size_t arm, std::size_t d, double reward) { values_[arm * idle_ + d - 1] = reward; }
  double greatest() const;

 private:
  std::size_t arms_, idle_;
  std::vector<double> values_;
};

/// A vertex of the concave envelope G_i of the points (0, 0) and (1/d, R_i(d)/d): pull rate against reward
/// rate.
struct EnvelopeVertex {
  double rate = 0;       ///< 1/d; 0 for never
  double reward = 0;     ///< for each period
  std::size_t idle = 0;  ///< d; 0 for never
};
/// From (0, 0) on, by rising rate, up to where more pulls would earn nothing more.
std::vector<EnvelopeVertex> envelope(const RecoveryCurves& curves, std::size_t arm);

/// max sum_i G_i(x_i) with sum_i x_i <= slots, 0 <= x_i <= 1, by filling up with the steepest pieces.
struct RewardBound {
  double value = 0;  ///< reward for each period that no policy exceeds, but for arms * greatest() in all
  /// Of each arm, the vertex at x_i; of the arm that lies between two, the one below.
  std::vector<EnvelopeVertex> chosen;
};
/// `envelopes`: of all arms.
RewardBound reward_bound(const std::vector<std::vector<EnvelopeVertex>>& envelopes, double slots);
std::vector<std::vector<EnvelopeVertex>> envelopes_of(const RecoveryCurves& curves);

/// Curves to study planners on. Type 0: s (1 - exp(-d/k)), s from U(0.2, 1) and k from 2^U(0, 5). Type 1:
/// 0.05 s below a threshold from U{1..D}, s above. Type 2: s from U(0.3, 1) times D sorted uniforms. Type 3,
/// traps: half of the arms nothing before d = 8 and 0.9 then, half about 0.31, and 0.62 more from d = 16 on.
RecoveryCurves recovery_instance(int type, std::size_t arms, std::size_t idle, Random& random);

}  // namespace stream::bandits
