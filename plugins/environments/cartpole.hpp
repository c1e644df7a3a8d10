/// CartPole: a pole hinged on a cart, to be kept upright by pushing the cart left or right.
///
/// A. G. Barto, R. S. Sutton, C. W. Anderson, Neuronlike adaptive elements that can solve difficult learning
/// control problems, IEEE Trans. Systems, Man and Cybernetics 13 (1983); the equations without friction.
#pragma once

#include <array>

#include "stream/environment.hpp"

namespace stream {

class CartPole final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit CartPole(const Params& params);

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;

  double gravity_, cart_mass_, pole_mass_, half_length_, force_, dt_;
  double x_ = 0, v_ = 0;         ///< cart: m, m/s
  double angle_ = 0, spin_ = 0;  ///< pole, from upright: rad, rad/s
};

}  // namespace stream
