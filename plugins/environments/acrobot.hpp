/// Acrobot: two links hanging from a bar, with a motor in the middle joint only; swing the tip above the bar.
///
/// R. S. Sutton, Generalization in reinforcement learning: successful examples using sparse coarse coding,
/// NIPS 1996, with the equations of motion of Sutton and Barto's book.
#pragma once

#include <array>

#include "stream/environment.hpp"

namespace stream {

class Acrobot final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Acrobot(const Params& params);

  /// Angle of the first link from hanging, of the second from the first, and their speeds: rad, rad/s.
  using State = std::array<double, 4>;

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;

  State state_{};
};

}  // namespace stream
