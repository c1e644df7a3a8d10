/// MountainCar: a car in a valley, too weak to drive straight up the hill; with three choices or a throttle.
///
/// A. W. Moore, Efficient memory-based learning for robot control, PhD thesis, Cambridge 1990; the equations
/// of Sutton and Barto's book. The continuous form follows the published description of OpenAI Gym's.
#pragma once

#include "stream/environment.hpp"

namespace stream {

class MountainCar final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit MountainCar(const Params& params);

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;

  double x_ = 0, v_ = 0;
};

class MountainCarContinuous final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit MountainCarContinuous(const Params& params);

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;

  double power_;
  double x_ = 0, v_ = 0;
};

}  // namespace stream
