#include "environments/mountain_car.hpp"

#include <algorithm>
#include <cmath>

namespace stream {
namespace {

constexpr double kLeft = -1.2, kRight = 0.6, kTopSpeed = 0.07, kSlope = 0.0025;

/// Gravity along the valley sin(3x), and the engine, for one step. The left wall stops the car.
void drive(double& x, double& v, double engine) {
  v = std::clamp(v + engine - kSlope * std::cos(3 * x), -kTopSpeed, kTopSpeed);
  x = std::clamp(x + v, kLeft, kRight);
  if (x == kLeft && v < 0) v = 0;
}

Space position_and_speed() {
  return Space::box({kLeft, -kTopSpeed}, {kRight, kTopSpeed}, {"position", "velocity"});
}

void store_car(Archive& state, double x, double v) {
  state.set("position", x);
  state.set("velocity", v);
}

constexpr const char* kPaper =
    "Moore, Efficient memory-based learning for robot control, PhD thesis, University of Cambridge, 1990";

}  // namespace

Spec MountainCar::spec() {
  return Spec{"mountain-car", "Drive a weak car out of a valley by swinging back and forth."}
      .about(
          "The engine pushes back, not at all, or forth. Each step costs 1 until the car is at 0.5 or "
          "beyond.")
      .paper(kPaper)
      .param("limit", 200, "steps after which an episode is cut off, 0 for never", at_least(0));
}

Spaces MountainCar::spaces(const Params&) {
  return {position_and_speed(), Space::discrete({"back", "none", "forth"})};
}

MountainCar::MountainCar(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")) {}

void MountainCar::start(std::span<double> observation) {
  x_ = random().uniform(-0.6, -0.4);
  v_ = 0;
  observation[0] = x_, observation[1] = v_;
}

Environment::Outcome MountainCar::move(std::span<const double> action, std::span<double> observation) {
  drive(x_, v_, (action[0] - 1) * 0.001);
  observation[0] = x_, observation[1] = v_;
  return {-1.0, x_ >= 0.5};
}

void MountainCar::store(Archive& state) const { store_car(state, x_, v_); }

void MountainCar::restore(const Archive& state) {
  x_ = state.get<double>("position");
  v_ = state.get<double>("velocity");
}

Spec MountainCarContinuous::spec() {
  return Spec{"mountain-car-continuous", "Drive a weak car out of a valley with a throttle, and little fuel."}
      .about(
          "The throttle is a number from -1 to 1 and costs a tenth of its square in each step; being at 0.45 "
          "or "
          "beyond, not moving back, earns 100 and ends the episode.")
      .paper(kPaper)
      .param("limit", 999, "steps after which an episode is cut off, 0 for never", at_least(0))
      .param("power", 0.0015, "acceleration at full throttle", range(0, 1));
}

Spaces MountainCarContinuous::spaces(const Params&) {
  return {position_and_speed(), Space::box(std::vector{-1.0}, {1.0}, {"throttle"})};
}

MountainCarContinuous::MountainCarContinuous(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")), power_(params.get<double>("power")) {}

void MountainCarContinuous::start(std::span<double> observation) {
  x_ = random().uniform(-0.6, -0.4);
  v_ = 0;
  observation[0] = x_, observation[1] = v_;
}

Environment::Outcome MountainCarContinuous::move(std::span<const double> action,
                                                 std::span<double> observation) {
  drive(x_, v_, clipped(action, 0) * power_);
  observation[0] = x_, observation[1] = v_;
  const bool there = x_ >= 0.45 && v_ >= 0;
  // The fuel that was asked for counts, not what the engine could use.
  return {(there ? 100.0 : 0.0) - 0.1 * action[0] * action[0], there};
}

void MountainCarContinuous::store(Archive& state) const { store_car(state, x_, v_); }

void MountainCarContinuous::restore(const Archive& state) {
  x_ = state.get<double>("position");
  v_ = state.get<double>("velocity");
}

}  // namespace stream
