/// Towers: aggressive selective promotion through levels of one arm each.
#pragma once

#include <cstdint>
#include <vector>

#include "bandits/policy.hpp"

namespace stream::bandits {

/// Level l holds one arm, challenged by fresh samples of both; after c_l challenges its arm goes up, where
/// samples are more and challenges rarer. (Assadi and Wang, STOC 2020; Wang, ICML 2023.)
class Tower final : public Policy {
 public:
  struct Level {
    std::uint64_t pulls;     ///< s_l, of each arm in a challenge
    std::uint64_t capacity;  ///< c_l, challenges until the arm goes up; of no meaning at the top
  };
  Tower(ArmMemory& arms, std::vector<Level> levels)
      : Policy(arms), levels_(std::move(levels)), challenges_(levels_.size()) {}

  Request arrive() override;
  Request answer(double mean) override;
  /// Every arm held is pulled 4 s_1 times once more.
  Request end() override;
  Place best() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;

  /// floor(ln K) levels, s_l = 1.2^(l-1) b, c_l = 6.
  static std::vector<Level> log_levels(const Problem& problem);
  /// floor(ln ln K) levels of that kind with c_l = 10 below one of ln(K) b pulls.
  static std::vector<Level> loglog_levels(const Problem& problem);
  /// As in the published code: r_1 = 2, r_(l+1) = 2^r_l; s_1 = b, s_l = r_l b; c_l = 2^r_l. There are as many
  /// levels as it takes for the capacities below the top one to multiply to no less than K / c_top.
  static std::vector<Level> log_star_levels(const Problem& problem);
  /// As the proof has it: r_1 = 4, eps_l = eps / (10 2^(l-1)), s_l = (4 / eps_l^2) (ln(1/delta) + 3 r_l) with
  /// delta = 0.1; c_1 = 2^r_1, c_l = 2^r_l / 2^(l-1).
  static std::vector<Level> log_star_theory_levels(const Problem& problem);

 private:
  /// Brings the arm at `hand_` to `level_`.
  Request climb();
  Request next_final();

  enum Phase : std::int64_t { kIdle, kStored, kHand, kFinal };
  std::vector<Level> levels_;
  std::vector<std::uint64_t> challenges_;  ///< C_l
  std::int64_t phase_ = kIdle;
  Place hand_ = kNowhere;  ///< the challenger
  Place level_ = 0;        ///< of the challenge, or in kFinal the arm that is pulled
  double mean_ = 0;        ///< of the arm stored at level_; in kFinal of the best so far
  Place best_ = kNowhere;
};

}  // namespace stream::bandits
