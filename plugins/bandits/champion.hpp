/// One champion with a purse that pays for its defence.
#pragma once

#include "bandits/policy.hpp"

namespace stream::bandits {

/// Memory of one arm, in the spirit of Jin et al. (ICML 2021) and of the budgets of Assadi and Wang; this
/// form is our own. Each arrival brings the purse b pulls. A challenger is pulled b/2 times, and as long as
/// its mean is eps/2 above the champion's, as many times again as before: out of the purse. A purse that
/// cannot pay loses the throne, not the challenger: good arms that come in rising order would be thrown away
/// otherwise. Exploration takes at most 1.5 K b pulls.
class Champion final : public Policy {
 public:
  Champion(ArmMemory& arms, const Problem& problem);
  Request arrive() override;
  Request answer(double mean) override;
  Place best() const override { return arms_.holds(0) ? 0 : kNowhere; }
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  Request crown();
  static constexpr std::int64_t kRounds = 7;
  double epsilon_;
  std::uint64_t unit_;  ///< floor(b)
  double champion_mean_ = 0;
  std::uint64_t purse_ = 0;
  // Of the challenger:
  std::int64_t round_ = 0;
  std::uint64_t next_ = 0;   ///< pulls of the next round
  std::uint64_t asked_ = 0;  ///< pulls of this one
  std::uint64_t pulled_ = 0;
  double mean_ = 0;
};

}  // namespace stream::bandits
