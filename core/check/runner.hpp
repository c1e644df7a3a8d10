/// Where scenarios are played: in this process, or in others that may die of them.
#pragma once

#include "check/scenario.hpp"

namespace stream::laws {

enum class Where : std::uint8_t {
  kUsual,
  kFresh,  ///< by another program that has never seen what the usual one holds in memory
};

class Runner {
 public:
  virtual ~Runner();
  virtual Outcome run(const Scenario& scenario, Where where = Where::kUsual) = 0;
  /// Plays the inputs again and again, each round later in time, and measures after 1, 2, 4, 8 ... rounds
  /// until `packets` or `seconds` are reached. A source reads on, measured by reads.
  virtual Measures measure(const Scenario& scenario, std::uint64_t packets, double seconds) = 0;
};

}  // namespace stream::laws
