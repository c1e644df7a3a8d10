/// What a single-pass algorithm decides: which arm to pull how often, which to keep.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bandits/arm_memory.hpp"
#include "stream/archive.hpp"

namespace stream::bandits {

/// K arms arrive once; T pulls in all. Known from the start.
struct Problem {
  std::uint64_t arms = 1, trials = 1;
  /// eps = (K / T)^(1/3): what an arm may fall short of the best.
  double epsilon() const;
  /// b = 1 / eps^2 pulls, the unit of every algorithm's budgets.
  double unit() const { return 1 / (epsilon() * epsilon()); }
  /// K^(1/3) T^(2/3), the order of the least regret with o(K) memory.
  double regret_scale() const { return static_cast<double>(trials) * epsilon(); }
};

/// What the algorithm asks of the world.
struct Request {
  enum class Kind : std::uint8_t {
    kPull,  ///< `pulls` rewards of the arm at `place`, as a mean
    kDone,  ///< the arrival has been dealt with; after `end`: `best` is final
  };
  Kind kind = Kind::kDone;
  Place place = kNowhere;
  std::uint64_t pulls = 0;
  static Request done() { return {}; }
  static Request pull(Place place, std::uint64_t pulls) { return {Kind::kPull, place, pulls}; }
};

/// One algorithm, as a machine that moves on with every answer. It keeps and drops the arms of a memory that
/// it does not own. Means are in [0, 1].
class Policy {
 public:
  explicit Policy(ArmMemory& arms) : arms_(arms) {}
  virtual ~Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  /// An arm stands at kArriving.
  virtual Request arrive() = 0;
  /// The mean of the pulls asked for last, all of them.
  virtual Request answer(double mean) = 0;
  /// No more arms.
  virtual Request end() { return Request::done(); }
  /// The arm to commit to, as far as is known; kNowhere before the first was kept.
  virtual Place best() const = 0;

  virtual void save(Archive& state) const = 0;
  virtual void load(const Archive& state) = 0;

 protected:
  ArmMemory& arms_;
};

/// Names of the algorithms, in the order in which the paper builds them up.
const std::vector<std::string>& algorithm_names();

struct PolicyOptions {
  std::string algorithm = "log-tower";
  bool theory_constants = false;  ///< of the log-star-tower
  std::uint64_t seed = 0;         ///< of "game-of-arms", which draws the arrivals that it plays uniformly
};
/// Arms that the algorithm needs to hold for this problem.
std::size_t memory_of(const Problem& problem, const PolicyOptions& options);
/// `arms` must have the capacity of `memory_of`, and outlive the policy.
std::unique_ptr<Policy> make_policy(const Problem& problem, const PolicyOptions& options, ArmMemory& arms);

}  // namespace stream::bandits
