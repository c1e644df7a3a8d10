/// The T-shaped block of Push-T: its outline, how much of an outline it covers, and how it slides.
#pragma once

#include <array>

namespace stream {

/// Side of the square window that the block's centre and the pusher keep within, and the pusher's radius, in
/// pixels.
inline constexpr double kTeeWindow = 512, kTeePusher = 15;

/// Where the T lies: the middle of the bar's upper edge, and its turn (rad).
struct TeePose {
  double x = 0, y = 0, angle = 0;
};

/// Corners of the outline in the block's own frame, clockwise on a screen (y down), and its centre of area.
using TeePoint = std::array<double, 2>;
inline constexpr std::array<TeePoint, 8> kTeeOutline{
    {{-60, 0}, {60, 0}, {60, 30}, {15, 30}, {15, 120}, {-15, 120}, {-15, 30}, {-60, 30}}};
inline constexpr TeePoint kTeeCentre{0, (3600.0 * 15 + 2700.0 * 75) / 6300};

/// A point of the block, given in its own frame, in the world; and back.
TeePoint tee_to_world(const TeePose& pose, TeePoint local);
TeePoint tee_to_local(const TeePose& pose, TeePoint world);

/// How deep a disc at `pusher` (world) of radius `radius` is in the block; <= 0 when they are apart: then the
/// negative distance.
double tee_depth(const TeePose& pose, TeePoint pusher, double radius);

/// Where the block lies when the pusher's centre came to `pusher`, a short way from where it touched it:
/// moved and turned, as a force along the contact's normal does, by as much as takes it out of the pusher.
TeePose tee_pushed(TeePose block, TeePoint pusher);

/// Share of the outline at `goal` that a T at `pose` covers, 0 to 1.
double tee_coverage(const TeePose& pose, const TeePose& goal);

}  // namespace stream
