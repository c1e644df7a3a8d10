#include "environments/cartpole.hpp"

#include <cmath>
#include <numbers>

namespace stream {
namespace {

constexpr double kEdge = 2.4;                                    // m from the middle of the track
constexpr double kTopple = 12.0 * 2.0 * std::numbers::pi / 360;  // rad
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Spec CartPole::spec() {
  return Spec{"cartpole", "Keep a pole upright on a cart that is pushed left or right."}
      .about(
          "A pole is hinged on a cart. Each step pushes the cart with a constant force for 20 ms and earns "
          "1; "
          "the episode ends when the pole leans more than 12 degrees or the cart is more than 2.4 m from the "
          "middle. Explicit Euler: positions move with the speeds before the push.")
      .paper(
          "Barto, Sutton, Anderson, Neuronlike adaptive elements that can solve difficult learning control "
          "problems, IEEE Transactions on Systems, Man and Cybernetics, 1983")
      .param("limit", 500, "steps after which an episode is cut off, 0 for never", at_least(0))
      .param("gravity", 9.8, "acceleration of gravity", range(0, 1000), unit("m/s2"))
      .param("cart_mass", 1.0, "mass of the cart", range(1e-3, 1e3), unit("kg"))
      .param("pole_mass", 0.1, "mass of the pole", range(1e-3, 1e3), unit("kg"))
      .param("half_length", 0.5, "half the length of the pole", range(1e-3, 1e3), unit("m"))
      .param("force", 10.0, "push on the cart", range(0, 1e4), unit("N"))
      .param("dt", 0.02, "seconds in a step", range(1e-4, 1), unit("s"));
}

Spaces CartPole::spaces(const Params&) {
  return {Space::box({-2 * kEdge, -kInfinity, -2 * kTopple, -kInfinity},
                     {2 * kEdge, kInfinity, 2 * kTopple, kInfinity},
                     {"position", "velocity", "angle", "angular velocity"}),
          Space::discrete({"left", "right"})};
}

CartPole::CartPole(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")),
      gravity_(params.get<double>("gravity")),
      cart_mass_(params.get<double>("cart_mass")),
      pole_mass_(params.get<double>("pole_mass")),
      half_length_(params.get<double>("half_length")),
      force_(params.get<double>("force")),
      dt_(params.get<double>("dt")) {}

void CartPole::start(std::span<double> observation) {
  for (double* const part : {&x_, &v_, &angle_, &spin_}) *part = random().uniform(-0.05, 0.05);
  observation[0] = x_, observation[1] = v_, observation[2] = angle_, observation[3] = spin_;
}

Environment::Outcome CartPole::move(std::span<const double> action, std::span<double> observation) {
  const double push = action[0] == 1 ? force_ : -force_;
  const double cosine = std::cos(angle_), sine = std::sin(angle_);
  const double mass = cart_mass_ + pole_mass_, moment = pole_mass_ * half_length_;
  const double part = (push + moment * spin_ * spin_ * sine) / mass;
  const double spin_up =
      (gravity_ * sine - cosine * part) / (half_length_ * (4.0 / 3.0 - pole_mass_ * cosine * cosine / mass));
  const double speed_up = part - moment * spin_up * cosine / mass;
  x_ += dt_ * v_;
  v_ += dt_ * speed_up;
  angle_ += dt_ * spin_;
  spin_ += dt_ * spin_up;
  observation[0] = x_, observation[1] = v_, observation[2] = angle_, observation[3] = spin_;
  return {1.0, std::abs(x_) > kEdge || std::abs(angle_) > kTopple};
}

void CartPole::store(Archive& state) const { state.set("cart_and_pole", std::vector{x_, v_, angle_, spin_}); }

void CartPole::restore(const Archive& state) {
  const auto values = stored(state, "cart_and_pole", 4);
  x_ = values[0], v_ = values[1], angle_ = values[2], spin_ = values[3];
}

}  // namespace stream
