#include "environments/push_t.hpp"

#include <algorithm>
#include <array>
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
/// Of all of it, on the axis of symmetry: 3600 at 15 and 2700 at 75.
constexpr Point kCentre{0, (3600.0 * 15 + 2700.0 * 75) / kArea};
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

double tee_coverage(const TeePose& pose, const TeePose& goal) {
  double area = 0;
  for (const Rectangle& a : {kBar, kStem}) {
    for (const Rectangle& b : {kBar, kStem}) area += shared_area(corners(pose, a), corners(goal, b));
  }
  return area / kArea;
}

Spec PushT::spec() {
  return Spec{"push-t", "Push a T-shaped block onto its outline with a round pusher."}
      .about(
          "A window of 512 by 512; the pusher, of radius 15, is drawn to where an action says by a spring "
          "(acc = 100 "
          "(target - p) - 20 v, 100 steps a second, an action every tenth of one). The T has a bar of 120 by "
          "30 and a "
          "stem of 30 by 90. It slides quasi-statically: a push moves and turns it as a force along the "
          "contact's "
          "normal does on a uniformly supported body, by as much as takes it out of the pusher. A step earns "
          "min(coverage / 0.95, 1); the episode ends when 0.95 of the outline is covered. The walls stop the "
          "pusher and "
          "the block's centre.")
      .paper("Chi et al., Diffusion Policy: Visuomotor Policy Learning via Action Diffusion, RSS 2023")
      .param("limit", 300, "steps after which an episode is cut off, 0 for never", at_least(0));
}

Spaces PushT::spaces(const Params&) {
  return {Space::box({0, 0, -200, -200, 0}, {kWindow, kWindow, kWindow + 200, kWindow + 200, 2 * pi},
                     {"pusher x", "pusher y", "block x", "block y", "block angle"}),
          Space::box({2}, 0, kWindow, {"target x", "target y"})};
}

PushT::PushT(const Params& params) : Environment(spaces(params), params.get<std::int64_t>("limit")) {}

void PushT::start(std::span<double> observation) {
  pusher_ = {};
  pusher_.position = {random().uniform(50, 450), random().uniform(50, 450)};
  block_ = {random().uniform(100, 400), random().uniform(100, 400), random().uniform(0, 2 * pi)};
  push();
  observe(observation);
}

void PushT::push() {
  // A few rounds: out of the bar may be into the stem.
  for (int round = 0; round < 8; ++round) {
    const Point centre = to_local(block_, {pusher_.position[0], pusher_.position[1]});
    const Contact bar = contact_of(centre, kPusher, kBar), stem = contact_of(centre, kPusher, kStem);
    const Contact& deeper = bar.depth > stem.depth ? bar : stem;
    if (deeper.depth <= 1e-9) return;
    // A force along the normal moves the centre by 1 and turns by arm / gyration; scaled so that the point of
    // contact moves by the depth.
    const double arm = cross(deeper.at - kCentre, deeper.normal);
    const double scale = deeper.depth / (1 + arm * arm / kGyration);
    const double c = std::cos(block_.angle), s = std::sin(block_.angle);
    Point middle = to_world(block_, kCentre);
    middle.x = std::clamp(middle.x + scale * (c * deeper.normal.x - s * deeper.normal.y), 0.0, kWindow);
    middle.y = std::clamp(middle.y + scale * (s * deeper.normal.x + c * deeper.normal.y), 0.0, kWindow);
    block_.angle = wrapped(block_.angle + scale * arm / kGyration);
    const Point offset = to_world({0, 0, block_.angle}, kCentre);
    block_.x = middle.x - offset.x;
    block_.y = middle.y - offset.y;
  }
}

Environment::Outcome PushT::move(std::span<const double> action, std::span<double> observation) {
  pusher_.track({clipped(action, 0), clipped(action, 1)}, [&] {
    for (std::size_t i = 0; i < 2; ++i) {
      const double stopped = std::clamp(pusher_.position[i], kPusher, kWindow - kPusher);
      if (stopped != pusher_.position[i]) pusher_.velocity[i] = 0;
      pusher_.position[i] = stopped;
    }
    push();
  });
  observe(observation);
  const double coverage = tee_coverage(block_, kGoal);
  return {std::clamp(coverage / kSuccess, 0.0, 1.0), coverage > kSuccess};
}

void PushT::observe(std::span<double> observation) const {
  observation[0] = pusher_.position[0], observation[1] = pusher_.position[1];
  observation[2] = block_.x, observation[3] = block_.y, observation[4] = block_.angle;
}

void PushT::store(Archive& state) const {
  state.set("pusher",
            std::vector{pusher_.position[0], pusher_.position[1], pusher_.velocity[0], pusher_.velocity[1]});
  state.set("block", std::vector{block_.x, block_.y, block_.angle});
}

void PushT::restore(const Archive& state) {
  const auto pusher = stored(state, "pusher", 4), block = stored(state, "block", 3);
  pusher_.position = {pusher[0], pusher[1]}, pusher_.velocity = {pusher[2], pusher[3]};
  block_ = {block[0], block[1], block[2]};
}

}  // namespace stream
