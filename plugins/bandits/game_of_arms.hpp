/// The game of arms: a king with a budget, and a uniform fallback.
#pragma once

#include "bandits/policy.hpp"
#include "stream/random.hpp"

namespace stream::bandits {

/// After the published code of Wang (ICML 2023), with eps where that code reads the true gap of the two best
/// arms, and with the first king measured. The king starts with 1.2 b pulls and gets b with each arrival; a
/// challenger is pulled 2^depth b times out of that budget, depth by depth, and loses when its mean is eps/5
/// below the king's. A king that cannot pay is dethroned, and the standard rises by eps/2 at least. Beside it
/// a share 1.5 / ln K of the arrivals is played uniformly with b ln K pulls: the fallback, if the game takes
/// more than 10 K b pulls. Memory: two arms.
class GameOfArms final : public Policy {
 public:
  GameOfArms(ArmMemory& arms, const Problem& problem, std::uint64_t seed);
  Request arrive() override;
  Request answer(double mean) override;
  Place best() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  static constexpr Place kKing = 0, kFallback = 1;
  enum Phase : std::int64_t { kSample, kGame };
  /// The arrival's turn in the game, after its turn as a sample of the fallback.
  Request play();
  Request crown();
  /// The arrival lost the game: it may stay as the fallback.
  Request leave();
  bool game_over() const { return game_pulls_ > 10 * static_cast<double>(problem_.arms) * unit_; }

  Problem problem_;
  double unit_, log_arms_;
  Random random_;
  std::int64_t phase_ = kGame;
  std::uint64_t asked_ = 0;
  bool sampled_ = false;    ///< the arrival is better than the fallback, and takes its place
  double sample_mean_ = 0;  ///< of that arrival
  double fallback_mean_ = 0;
  double king_mean_ = 0, budget_ = 0, challenger_mean_ = 0, game_pulls_ = 0;
  std::int64_t depth_ = 0;
  bool king_is_fallback_ = false;  ///< one arm in both roles stands at kKing alone
};

}  // namespace stream::bandits
