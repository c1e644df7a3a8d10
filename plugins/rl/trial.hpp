/// One learner's life in an environment, from nothing, as studies compare them.
#pragma once

#include <string>
#include <vector>

#include "rl/controller.hpp"
#include "stream/environment.hpp"

namespace stream::rl {

/// A learner with all its settings, and where it lives.
struct Trial {
  std::string name;  ///< in tables and plots: "stream Q", "SGD traces, step size 0.001"
  Algorithm algorithm = Algorithm::kQ;
  Settings settings;
  std::string environment;  ///< as make_environment reads it
  std::int64_t steps = 0;
  double exploring = 0.05;  ///< share of the steps over which epsilon falls
};

struct Life {
  /// Mean undiscounted return of the episodes that ended in the last fifth of the steps, while learning. NaN
  /// where none did.
  double late_return = 0;
  bool diverged = false;  ///< a value was no finite number any more; late_return is NaN
  /// Mean return of the episodes that ended in each fortieth of the steps; that of the part before where none
  /// did.
  std::vector<double> curve;
};

inline constexpr std::size_t kCurvePoints = 40;

/// Spaces, grid and time limit are the environment's.
Life live(const Trial& trial, std::uint64_t seed, const Context& context);
/// The controller that `live` starts with.
Controller controller_of(const Trial& trial, const Environment& environment, std::uint64_t seed);

}  // namespace stream::rl
