#include "environments/pendulum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stream {
namespace {

using std::numbers::pi;

constexpr double kMass = 1, kLength = 1, kStep = 0.05, kTorque = 2, kTopSpin = 8;

/// Into [-pi, pi).
double wrapped(double angle) {
  const double turned = angle + pi;
  return turned - 2 * pi * std::floor(turned / (2 * pi)) - pi;
}

}  // namespace

Spec Pendulum::spec() {
  return Spec{"pendulum", "Swing a pendulum up with a weak motor and hold it there."}
      .about(
          "The torque, -2 to 2, acts for 50 ms. A step costs the square of the angle from upright, a tenth "
          "of the "
          "square of the angular velocity and a thousandth of the square of the torque, all before the move. "
          "There is no end but the limit.")
      .param("limit", 200, "steps after which an episode is cut off, 0 for never", at_least(0))
      .param("gravity", 10.0, "acceleration of gravity", range(0, 1000), unit("m/s2"));
}

Spaces Pendulum::spaces(const Params&) {
  return {Space::box({-1, -1, -kTopSpin}, {1, 1, kTopSpin}, {"cos", "sin", "angular velocity"}),
          Space::box(std::vector{-kTorque}, {kTorque}, {"torque"})};
}

Pendulum::Pendulum(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")),
      gravity_(params.get<double>("gravity")) {}

void Pendulum::start(std::span<double> observation) {
  angle_ = random().uniform(-pi, pi);
  spin_ = random().uniform(-1, 1);
  observe(observation);
}

Environment::Outcome Pendulum::move(std::span<const double> action, std::span<double> observation) {
  const double torque = clipped(action, 0), lean = wrapped(angle_);
  const double cost = lean * lean + 0.1 * spin_ * spin_ + 0.001 * torque * torque;
  const double spin_up =
      3 * gravity_ / (2 * kLength) * std::sin(angle_) + 3 / (kMass * kLength * kLength) * torque;
  spin_ = std::clamp(spin_ + spin_up * kStep, -kTopSpin, kTopSpin);
  angle_ += spin_ * kStep;
  observe(observation);
  return {-cost, false};
}

void Pendulum::observe(std::span<double> observation) const {
  observation[0] = std::cos(angle_), observation[1] = std::sin(angle_), observation[2] = spin_;
}

void Pendulum::store(Archive& state) const {
  state.set("angle", angle_);
  state.set("angular_velocity", spin_);
}

void Pendulum::restore(const Archive& state) {
  angle_ = state.get<double>("angle");
  spin_ = state.get<double>("angular_velocity");
}

}  // namespace stream
