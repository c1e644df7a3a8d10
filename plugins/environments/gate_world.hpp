/// GateWorld: a point robot must pass a disc on either side to meet a goal that drifts.
///
/// Made for imitation: passing left and passing right are equally good, their mean is a collision, and the
/// goal moves on while a plan is carried out.
#pragma once

#include "environments/tracked_point.hpp"
#include "stream/environment.hpp"

namespace stream {

class GateWorld final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit GateWorld(const Params& params);

  static constexpr double kGoalReach = 0.08, kDiscRadius = 0.25, kReach = 0.2;
  /// Where the numbers of an observation stand.
  enum Index { kPosition = 0, kVelocity = 2, kGoal = 4, kGoalVelocity = 6, kDisc = 8, kSize = 9 };
  /// The disc lies on this height; its place along it is observed.
  static constexpr double kDiscHeight = 0;

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;
  double goal_x() const;

  double anywhere_;
  TrackedPoint robot_;
  double time_ = 0;  ///< s
  double swing_ = 0, pulse_ = 0, phase_ = 0,
         centre_ = 0;  ///< the goal's drift: amplitude, rad/s, rad, middle
  double disc_ = 0;
};

}  // namespace stream
