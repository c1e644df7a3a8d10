/// Push-T: a round pusher moves a T-shaped block onto its outline.
///
/// P. Florence et al., Implicit behavioral cloning, CoRL 2021, in the geometry that C. Chi et al., Diffusion
/// policy, RSS 2023, published with their code; the block slides quasi-statically.
#pragma once

#include "environments/tracked_point.hpp"
#include "stream/environment.hpp"

namespace stream {

/// Where the T lies: the middle of the bar's upper edge, and its turn (rad).
struct TeePose {
  double x = 0, y = 0, angle = 0;
};

/// Share of the outline at `goal` that a T at `pose` covers, 0 to 1.
double tee_coverage(const TeePose& pose, const TeePose& goal);

class PushT final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit PushT(const Params& params);

  static constexpr double kWindow = 512, kPusher = 15, kSuccess = 0.95;
  static constexpr TeePose kGoal{256, 256, 0.78539816339744830962};

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;
  /// Moves the block out of the pusher's way.
  void push();

  TrackedPoint pusher_;
  TeePose block_;
};

}  // namespace stream
