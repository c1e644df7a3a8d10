/// The exact optimum of small instances.
#pragma once

#include "bandits/recovery_curves.hpp"

namespace stream::bandits {

/// Greatest average reward for each period of any policy with one pull a period: relative value iteration
/// over all D^N vectors of idle times, until its bounds on the optimum are `tolerance` apart; the lower one.
/// Throws std::invalid_argument for more than a million vectors.
double optimal_reward(const RecoveryCurves& curves, double tolerance = 1e-6);

}  // namespace stream::bandits
