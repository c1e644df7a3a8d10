/// A single pass over a stream of arms: one algorithm, its memory, and the account of its pulls.
#pragma once

#include "bandits/policy.hpp"

namespace stream::bandits {

/// Drives a policy within the T pulls of its problem: what a policy asks beyond them is cut, and ends the
/// exploration. Calls that break the protocol throw Error(kBadData) and change nothing.
class SinglePass {
 public:
  SinglePass(const Problem& problem, const PolicyOptions& options);

  struct Step {
    enum class Kind : std::uint8_t {
      kPull,     ///< `pulls` rewards of the arm at `place` are wanted
      kWait,     ///< some of them came, the rest is awaited
      kDecided,  ///< the arrival has been kept or dropped: the next may come
      kCommit,   ///< the arm at `place` gets the remaining `pulls`
      kDone,     ///< T pulls were made
    };
    Kind kind;
    Place place = kNowhere;
    std::uint64_t pulls = 0;
  };

  /// The next arm. While pulls are awaited, after the end, or after K arms it is refused.
  Step arrive(Arm arm);
  /// `n` of the awaited pulls of the awaited arm, with mean reward `mean` in [0, 1]. After the commitment: of
  /// the arm committed to.
  Step answer(const std::string& id, std::uint64_t n, double mean);
  /// No more arms: the last comparisons begin, then the commitment.
  Step end();
  /// Where the algorithm stands when the world falls silent: the arm it would commit to, kNowhere for none.
  Place best() const { return policy_->best(); }

  const ArmMemory& arms() const { return arms_; }
  std::vector<std::string> take_dropped() { return arms_.take_dropped(); }
  const Problem& problem() const { return problem_; }
  std::uint64_t arrived() const { return arrived_; }
  bool ended() const { return ended_; }
  bool committed() const { return committed_; }
  /// Pulls answered so far, and those of them that came before the commitment.
  std::uint64_t pulls() const { return pulls_; }
  std::uint64_t explored() const { return explored_; }
  /// Sum of all rewards, in units of [0, 1].
  double reward() const { return reward_; }
  /// Sum over pulls of (best mean of all arms that came - the pulled arm's mean); NaN when some arm came
  /// without its mean.
  double regret() const;
  /// What the regret will be when the remaining pulls go to the arm at `place`.
  double regret_with(Place place) const;
  std::size_t bytes() const { return sizeof *this + arms_.bytes(); }

  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  Step follow(const Request& request);
  Step commit();
  Step next_of(const Request& request);

  Problem problem_;
  ArmMemory arms_;
  std::unique_ptr<Policy> policy_;
  std::uint64_t arrived_ = 0, pulls_ = 0, explored_ = 0;
  bool ended_ = false, committed_ = false, spent_ = false;
  Place awaited_ = kNowhere;            ///< the arm whose pulls are awaited
  std::uint64_t wanted_ = 0, got_ = 0;  ///< of those pulls
  double sum_ = 0;                      ///< of their rewards
  bool cut_ = false;                    ///< fewer than the policy asked for
  double reward_ = 0, expected_ = 0;    ///< sums over pulls: rewards; true means
  double best_mean_ = 0;                ///< of the arms that came
};

}  // namespace stream::bandits
