/// Streams of arms to study single-pass algorithms on.
#pragma once

#include <string>
#include <vector>

#include "stream/random.hpp"

namespace stream::bandits {

/// The settings of Wang (ICML 2023): "clear-cut", K - 1 means from N(0.5, 0.1) on [0, 0.8] and one of 0.82,
/// and "mix-in", uniform means; in order "random", "ascending" or "descending" of the means.
struct ArmStreamOptions {
  std::string setting = "clear-cut", order = "random";
  std::size_t arms = 1000;
};
std::vector<double> arm_means(const ArmStreamOptions& options, Random& random);

}  // namespace stream::bandits
