/// TwinTrack: follow a reference that changes its mind, at a constant offset to its left or to its right.
#pragma once

#include "environments/tracked_point.hpp"
#include "stream/environment.hpp"

namespace stream {

class TwinTrack final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit TwinTrack(const Params& params);

  static constexpr double kOffset = 0.3, kReach = 0.2;
  /// kFromReference: where the robot is, seen from the reference.
  enum Index { kFromReference = 0, kVelocity = 2, kReference = 4, kReferenceVelocity = 6, kSize = 8 };

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;
  void turn();

  TrackedPoint robot_;
  std::array<double, 2> reference_{}, heading_{};  ///< place, and velocity a second
};

}  // namespace stream
