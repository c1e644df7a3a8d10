/// A point of unit mass that a critically damped spring pulls to where it is told to be.
#pragma once

#include <array>
#include <cmath>

namespace stream {

struct TrackedPoint {
  std::array<double, 2> position{}, velocity{};

  /// One control tick of 100 ms, ten steps of 10 ms: acc = 100 (target - p) - 20 v, velocities first.
  template <typename Visit>
  void track(std::array<double, 2> target, Visit&& at_each_step) {
    constexpr double kStep = 0.01, kStiffness = 100, kDamping = 20;
    for (int step = 0; step < 10; ++step) {
      for (std::size_t i = 0; i < 2; ++i) {
        velocity[i] += kStep * (kStiffness * (target[i] - position[i]) - kDamping * velocity[i]);
        position[i] += kStep * velocity[i];
      }
      at_each_step();
    }
  }
  double distance_to(double x, double y) const { return std::hypot(position[0] - x, position[1] - y); }
};

}  // namespace stream
