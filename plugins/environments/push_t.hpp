/// Push-T: a round pusher moves a T-shaped block onto its outline.
///
/// P. Florence et al., Implicit behavioral cloning, CoRL 2021, in the geometry that C. Chi et al., Diffusion
/// policy, RSS 2023, published with their code; the block slides quasi-statically.
#pragma once

#include "environments/tee.hpp"
#include "environments/tracked_point.hpp"
#include "stream/environment.hpp"

namespace stream {

class PushT final : public Environment {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit PushT(const Params& params);

  static constexpr double kWindow = kTeeWindow, kPusher = kTeePusher, kSuccess = 0.95;
  static constexpr TeePose kGoal{256, 256, 0.78539816339744830962};

 private:
  void start(std::span<double> observation) override;
  Outcome move(std::span<const double> action, std::span<double> observation) override;
  void store(Archive& state) const override;
  void restore(const Archive& state) override;
  void observe(std::span<double> observation) const;
  void push() { block_ = tee_pushed(block_, pusher_.position); }

  bool keypoints_;
  TrackedPoint pusher_;
  TeePose block_;
};

}  // namespace stream
