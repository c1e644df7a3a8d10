/// A demonstrator for Push-T: plans each push with the block's own mechanics.
#pragma once

#include <cstdint>

#include "diffusion_policy/experts.hpp"
#include "environments/push_t.hpp"

namespace stream::diffusion_policy {

/// Looks at places all round the block's edge, foresees what a push there along the edge's normal would do,
/// and takes the one that brings the block nearest to its outline for the time that the way there and the
/// push take; goes round the block to it, on the side that was drawn where both ways are about as long;
/// pushes for as long as that helps; and begins again.
class PushTExpert final : public Expert {
 public:
  void begin(Random& random) override;
  std::vector<double> act(std::span<const double> observation) override;
  bool succeeded(const Transition& last) const override { return last.terminated && last.reward >= 1; }

 private:
  enum class Doing { kChoosing, kGoing, kPushing };
  void choose(TeePoint pusher, const TeePose& block);
  /// Where to steer for on the way to the place of the push.
  TeePoint waypoint(TeePoint pusher, TeePoint place, const TeePose& block) const;

  Doing doing_ = Doing::kChoosing;
  double side_ = 1;  ///< +1: round the block clockwise on the screen, where the ways are about as long
  TeePoint contact_{}, outward_{};  ///< of the chosen push, in the block's frame
  std::size_t edge_ = 0;            ///< of the outline, that it is on
  int patience_ = 0;                ///< ticks left until this way, or push, is given up
  bool other_way_ = false;          ///< round the block: the shorter way led nowhere
  std::uint32_t refused_ = 0;       ///< edges that no way led to, a bit each, until the block moves
};

/// Mean squared distance (px^2) between the points of a block at `pose` and their places on the outline: what
/// a push is to lessen.
double tee_error(const TeePose& pose);

}  // namespace stream::diffusion_policy
