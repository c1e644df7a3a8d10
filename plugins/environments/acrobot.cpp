#include "environments/acrobot.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "stream/error.hpp"

namespace stream {
namespace {

using std::numbers::pi;
using State = Acrobot::State;

constexpr double kMass = 1, kLength = 1, kCentre = 0.5, kInertia = 1, kGravity = 9.8;  // of either link
constexpr double kStep = 0.2;                                                          // s
constexpr double kMaxSpin1 = 4 * pi, kMaxSpin2 = 9 * pi;                               // rad/s

/// Time derivative of the state under a torque on the middle joint (the book's form, which keeps the
/// centripetal term in the second link's acceleration).
State derivative(const State& s, double torque) {
  const double cos2 = std::cos(s[1]), sin2 = std::sin(s[1]);
  const double d1 = kMass * kCentre * kCentre +
                    kMass * (kLength * kLength + kCentre * kCentre + 2 * kLength * kCentre * cos2) +
                    2 * kInertia;
  const double d2 = kMass * (kCentre * kCentre + kLength * kCentre * cos2) + kInertia;
  const double phi2 = kMass * kCentre * kGravity * std::cos(s[0] + s[1] - pi / 2);
  const double phi1 = -kMass * kLength * kCentre * s[3] * s[3] * sin2 -
                      2 * kMass * kLength * kCentre * s[3] * s[2] * sin2 +
                      (kMass * kCentre + kMass * kLength) * kGravity * std::cos(s[0] - pi / 2) + phi2;
  const double a2 = (torque + d2 / d1 * phi1 - kMass * kLength * kCentre * s[2] * s[2] * sin2 - phi2) /
                    (kMass * kCentre * kCentre + kInertia - d2 * d2 / d1);
  const double a1 = -(d2 * a2 + phi1) / d1;
  return {s[2], s[3], a1, a2};
}

State moved(const State& s, const State& slope, double dt) {
  State out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = s[i] + dt * slope[i];
  return out;
}

/// One step of the classical Runge-Kutta method.
State runge_kutta(const State& s, double torque) {
  const State k1 = derivative(s, torque);
  const State k2 = derivative(moved(s, k1, kStep / 2), torque);
  const State k3 = derivative(moved(s, k2, kStep / 2), torque);
  const State k4 = derivative(moved(s, k3, kStep), torque);
  State out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = s[i] + kStep / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  return out;
}

/// Into [-pi, pi]; one step turns a link by a few turns at most, however it got there.
double wrapped(double angle) {
  while (angle > pi) angle -= 2 * pi;
  while (angle < -pi) angle += 2 * pi;
  return angle;
}

}  // namespace

Spec Acrobot::spec() {
  return Spec{"acrobot",
              "Swing the tip of two hanging links above the bar with a motor in the joint between."}
      .about(
          "Two links of 1 m and 1 kg hang from a bar; the torque -1, 0 or 1 acts on the joint between them "
          "for "
          "0.2 s, one step of the classical Runge-Kutta method. Each step costs 1; the episode ends when the "
          "tip is more than one link above the bar, and that step costs nothing.")
      .paper(
          "Sutton, Generalization in reinforcement learning: successful examples using sparse coarse coding, "
          "NIPS 1996")
      .param("limit", 500, "steps after which an episode is cut off, 0 for never", at_least(0));
}

Spaces Acrobot::spaces(const Params&) {
  return {Space::box({-1, -1, -1, -1, -kMaxSpin1, -kMaxSpin2}, {1, 1, 1, 1, kMaxSpin1, kMaxSpin2},
                     {"cos 1", "sin 1", "cos 2", "sin 2", "angular velocity 1", "angular velocity 2"}),
          Space::discrete({"back", "none", "forth"})};
}

Acrobot::Acrobot(const Params& params) : Environment(spaces(params), params.get<std::int64_t>("limit")) {}

void Acrobot::start(std::span<double> observation) {
  for (double& part : state_) part = random().uniform(-0.1, 0.1);
  observe(observation);
}

Environment::Outcome Acrobot::move(std::span<const double> action, std::span<double> observation) {
  state_ = runge_kutta(state_, action[0] - 1);
  state_[0] = wrapped(state_[0]);
  state_[1] = wrapped(state_[1]);
  state_[2] = std::clamp(state_[2], -kMaxSpin1, kMaxSpin1);
  state_[3] = std::clamp(state_[3], -kMaxSpin2, kMaxSpin2);
  observe(observation);
  const bool above = -std::cos(state_[0]) - std::cos(state_[0] + state_[1]) > 1;
  return {above ? 0.0 : -1.0, above};
}

void Acrobot::observe(std::span<double> observation) const {
  observation[0] = std::cos(state_[0]), observation[1] = std::sin(state_[0]);
  observation[2] = std::cos(state_[1]), observation[3] = std::sin(state_[1]);
  observation[4] = state_[2], observation[5] = state_[3];
}

void Acrobot::store(Archive& state) const { state.set("links", std::span<const double>(state_)); }

void Acrobot::restore(const Archive& state) {
  const auto values = stored(state, "links", 4);
  for (std::size_t i = 0; i < 4; ++i) {
    if (!(std::abs(values[i]) < 1e3)) throw bad_data("'links' holds a state that no motion leads to");
    state_[i] = values[i];
  }
}

}  // namespace stream
