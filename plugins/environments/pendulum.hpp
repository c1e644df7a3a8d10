/// Pendulum: swing a pendulum up with too weak a motor, and hold it there.
///
/// The inverted pendulum swing-up of the control literature, with the constants of OpenAI Gym's description.
#pragma once

#include "stream/environment.hpp"

namespace stream {

class Pendulum final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Pendulum(const Params& params);

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;

  double gravity_;
  double angle_ = 0, spin_ = 0;  ///< from upright, not wrapped: rad, rad/s
};

}  // namespace stream
