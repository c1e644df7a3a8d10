#include "environments/tee.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace stream {
namespace {

using std::numbers::pi;

struct Point {
  double x = 0, y = 0;
};
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }

/// In the block's own frame: the bar, and the stem below it.
struct Rectangle {
  double left, right, top, bottom;
};
constexpr Rectangle kBar{-60, 60, 0, 30}, kStem{-15, 15, 30, 120};
constexpr double kArea = 120 * 30 + 30 * 90;
constexpr Point kCentre{kTeeCentre[0], kTeeCentre[1]};
/// Radius of gyration about that, squared: how hard the block is to turn, against how hard to shift. The sum
/// of (w^2 + h^2) / 12 and the squared distances, weighted by area.
constexpr double kGyration = (3600 * ((120.0 * 120 + 30 * 30) / 12 + (kCentre.y - 15) * (kCentre.y - 15)) +
                              2700 * ((30.0 * 30 + 90 * 90) / 12 + (75 - kCentre.y) * (75 - kCentre.y))) /
                             kArea;

Point to_world(const TeePose& pose, Point local) {
  const double c = std::cos(pose.angle), s = std::sin(pose.angle);
  return {pose.x + c * local.x - s * local.y, pose.y + s * local.x + c * local.y};
}

Point to_local(const TeePose& pose, Point world) {
  const double c = std::cos(pose.angle), s = std::sin(pose.angle), dx = world.x - pose.x,
               dy = world.y - pose.y;
  return {c * dx + s * dy, -s * dx + c * dy};
}

std::array<Point, 4> corners(const TeePose& pose, const Rectangle& r) {
  return {to_world(pose, {r.left, r.top}), to_world(pose, {r.right, r.top}),
          to_world(pose, {r.right, r.bottom}), to_world(pose, {r.left, r.bottom})};
}

/// Area of the intersection of two convex polygons whose corners go round the same way (Sutherland and
/// Hodgman, CACM 1974).
double shared_area(const std::array<Point, 4>& a, const std::array<Point, 4>& b) {
  std::vector<Point> kept(a.begin(), a.end());
  for (std::size_t i = 0; i < 4 && !kept.empty(); ++i) {
    const Point from = b[i], edge = b[(i + 1) % 4] - from;
    std::vector<Point> next;
    for (std::size_t j = 0; j < kept.size(); ++j) {
      const Point p = kept[j], q = kept[(j + 1) % kept.size()];
      const double inside_p = cross(edge, p - from), inside_q = cross(edge, q - from);
      if (inside_p >= 0) next.push_back(p);
      if ((inside_p >= 0) != (inside_q >= 0)) {
        const double t = inside_p / (inside_p - inside_q);
        next.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
      }
    }
    kept = std::move(next);
  }
  double twice = 0;
  for (std::size_t j = 0; j < kept.size(); ++j) twice += cross(kept[j], kept[(j + 1) % kept.size()]);
  return twice / 2;
}

/// How deep a disc is in a rectangle, and the way out for the rectangle, in its own frame; depth <= 0 when
/// they are apart.
struct Contact {
  double depth = 0;
  Point at, normal;
};
Contact contact_of(Point centre, double radius, const Rectangle& r) {
  const Point nearest{std::clamp(centre.x, r.left, r.right), std::clamp(centre.y, r.top, r.bottom)};
  const Point apart = nearest - centre;
  const double distance = std::hypot(apart.x, apart.y);
  if (distance > 0) return {radius - distance, nearest, {apart.x / distance, apart.y / distance}};
  // The disc's centre is inside: the rectangle leaves by the side that is nearest.
  const std::array<Contact, 4> ways{{{radius + centre.x - r.left, {r.left, centre.y}, {1, 0}},
                                     {radius + r.right - centre.x, {r.right, centre.y}, {-1, 0}},
                                     {radius + centre.y - r.top, {centre.x, r.top}, {0, 1}},
                                     {radius + r.bottom - centre.y, {centre.x, r.bottom}, {0, -1}}}};
  return *std::min_element(ways.begin(), ways.end(),
                           [](const Contact& a, const Contact& b) { return a.depth < b.depth; });
}

double wrapped(double angle) { return angle - 2 * pi * std::floor(angle / (2 * pi)); }

}  // namespace

TeePoint tee_to_world(const TeePose& pose, TeePoint local) {
  const Point p = to_world(pose, {local[0], local[1]});
  return {p.x, p.y};
}

TeePoint tee_to_local(const TeePose& pose, TeePoint world) {
  const Point p = to_local(pose, {world[0], world[1]});
  return {p.x, p.y};
}

double tee_depth(const TeePose& pose, TeePoint pusher, double radius) {
  const Point centre = to_local(pose, {pusher[0], pusher[1]});
  return std::max(contact_of(centre, radius, kBar).depth, contact_of(centre, radius, kStem).depth);
}

TeePose tee_pushed(TeePose block, TeePoint pusher) {
  // A few rounds: out of the bar may be into the stem.
  for (int round = 0; round < 8; ++round) {
    const Point centre = to_local(block, {pusher[0], pusher[1]});
    const Contact bar = contact_of(centre, kTeePusher, kBar), stem = contact_of(centre, kTeePusher, kStem);
    const Contact& deeper = bar.depth > stem.depth ? bar : stem;
    if (deeper.depth <= 1e-9) break;
    // A force along the normal moves the centre by 1 and turns by arm / gyration; scaled so that the point of
    // contact moves by the depth.
    const double arm = cross(deeper.at - kCentre, deeper.normal);
    const double scale = deeper.depth / (1 + arm * arm / kGyration);
    const double c = std::cos(block.angle), s = std::sin(block.angle);
    Point middle = to_world(block, kCentre);
    middle.x = std::clamp(middle.x + scale * (c * deeper.normal.x - s * deeper.normal.y), 0.0, kTeeWindow);
    middle.y = std::clamp(middle.y + scale * (s * deeper.normal.x + c * deeper.normal.y), 0.0, kTeeWindow);
    block.angle = wrapped(block.angle + scale * arm / kGyration);
    const Point offset = to_world({0, 0, block.angle}, kCentre);
    block.x = middle.x - offset.x;
    block.y = middle.y - offset.y;
  }
  return block;
}

double tee_coverage(const TeePose& pose, const TeePose& goal) {
  double area = 0;
  for (const Rectangle& a : {kBar, kStem}) {
    for (const Rectangle& b : {kBar, kStem}) area += shared_area(corners(pose, a), corners(goal, b));
  }
  return area / kArea;
}

}  // namespace stream
