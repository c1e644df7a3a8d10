/// How the positions of the action buffer are told apart: by the call that will execute them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace stream::diffusion_policy {

/// Positions 0 ... To-1 hold the actions that go with the observations, the last of them the one to execute
/// next; then come chunks of Ta positions, and a tail that is too short to be one.
struct Chunks {
  std::int64_t horizon = 20;  ///< Tp
  std::int64_t observed = 2;  ///< To
  std::int64_t executed = 4;  ///< Ta

  std::int64_t count() const { return (horizon - (observed - 1)) / executed; }  ///< h
  std::int64_t tail() const { return (horizon - (observed - 1)) % executed; }
  /// The chunk that position p belongs to: what lies before the first is of the first, the tail of the last.
  std::int64_t of(std::int64_t p) const {
    return p < observed ? 0 : std::min((p - (observed - 1)) / executed, count() - 1);
  }
  /// The diffusion step of every position when a call begins: floor(N (i+1) / h) - 1.
  std::vector<std::int64_t> staircase(std::int64_t noise_steps) const {
    std::vector<std::int64_t> steps;
    for (std::int64_t p = 0; p < horizon; ++p) steps.push_back(noise_steps * (of(p) + 1) / count() - 1);
    return steps;
  }
};

}  // namespace stream::diffusion_policy
