/// A simulated world for single-pass algorithms, which lets nobody pull what was dropped.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bandits/single_pass.hpp"
#include "stream/random.hpp"

namespace stream::bandits {

/// Bernoulli arms by number. It keeps its own account of what is gone.
class SimulatedWorld {
 public:
  SimulatedWorld(std::span<const double> means, Random random)
      : means_(means), available_(means.size(), false), random_(random) {}
  void announce(std::size_t arm) { available_.at(arm) = true; }
  void gone(std::size_t arm) { available_.at(arm) = false; }
  /// Mean reward of n pulls. Throws std::logic_error for an arm that has not come yet or is gone.
  double pull(std::size_t arm, std::uint64_t n);
  /// Every pull, by what it cost: n (best mean - mean) summed.
  double regret() const { return regret_; }
  std::uint64_t pulls() const { return pulls_; }
  /// Pulls without drawing rewards: of the arm committed to.
  void commit(std::size_t arm, std::uint64_t n);

 private:
  void account(std::size_t arm, std::uint64_t n);
  std::span<const double> means_;
  std::vector<bool> available_;
  Random random_;
  double best_ = -1, regret_ = 0;
  std::uint64_t pulls_ = 0;
};

struct SinglePassOutcome {
  double regret = 0;
  std::uint64_t pulls = 0, explored = 0;
  std::size_t peak = 0;  ///< arms held at once, besides the arriving one
  double shortfall = 0;  ///< best mean - mean of the arm committed to
};
/// The whole of a run: all arms in this order, all trials.
SinglePassOutcome simulate(const Problem& problem, const PolicyOptions& options,
                           std::span<const double> means, Random random);

}  // namespace stream::bandits
