#include "diffusion_policy/push_t_expert.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stream::diffusion_policy {
namespace {

using std::numbers::pi;

constexpr double kRadius = kTeePusher;
/// Pixels: how far from the edge a push begins, how wide a berth the way there gives the block, and the
/// circle round its centre of area in which all of it and the pusher beside it fit.
constexpr double kStandOff = 9, kBerth = 4, kRound = 100;
/// Pixels ahead of the pusher that are aimed at: the spring makes half of that a tick of it, and comes to
/// rest without overshoot where the aim stops moving.
constexpr double kStride = 50, kPushStride = 30;
/// Ticks that a way to a push may take.
constexpr int kPatience = 30;
/// Squared pixels: an error that does not matter any more.
constexpr double kNegligible = 0.3;

TeePoint operator+(TeePoint a, TeePoint b) { return {a[0] + b[0], a[1] + b[1]}; }
TeePoint operator-(TeePoint a, TeePoint b) { return {a[0] - b[0], a[1] - b[1]}; }
TeePoint operator*(double k, TeePoint a) { return {k * a[0], k * a[1]}; }
double length(TeePoint a) { return std::hypot(a[0], a[1]); }
double angle_of(TeePoint a) { return std::atan2(a[1], a[0]); }
TeePoint direction(double angle) { return {std::cos(angle), std::sin(angle)}; }
double wrapped(double angle) { return std::remainder(angle, 2 * pi); }
TeePoint turned(const TeePose& pose, TeePoint local) { return tee_to_world({0, 0, pose.angle}, local); }

/// Mean squared distance of the block's points from its centre of area.
double gyration() {
  const auto about = [](double w, double h, double x, double y) {
    return (w * w + h * h) / 12 + x * x + y * y;
  };
  constexpr double kBar = 120 * 30, kStem = 30 * 90;
  return (kBar * about(120, 30, 0, 15 - kTeeCentre[1]) + kStem * about(30, 90, 0, 75 - kTeeCentre[1])) /
         (kBar + kStem);
}

bool inside(TeePoint p) {
  return std::min(p[0], p[1]) >= kRadius && std::max(p[0], p[1]) <= PushT::kWindow - kRadius;
}

TeePoint kept_inside(TeePoint p) {
  for (double& v : p) v = std::clamp(v, kRadius, PushT::kWindow - kRadius);
  return p;
}

/// `from`, and towards `to` by at most `stride`.
std::vector<double> aim(TeePoint from, TeePoint to, double stride) {
  const double distance = length(to - from);
  const TeePoint at = distance <= stride ? to : from + stride / distance * (to - from);
  return {at[0], at[1]};
}

bool clear(TeePoint from, TeePoint to, const TeePose& block) {
  const int steps = 1 + static_cast<int>(length(to - from) / 5);
  for (int i = 1; i <= steps; ++i)
    if (tee_depth(block, from + static_cast<double>(i) / steps * (to - from), kRadius + kBerth) > 0)
      return false;
  return true;
}

/// The best that a push from `from` along `way` can make of a block, and how far it goes for that.
struct Foreseen {
  double error, distance;
};
Foreseen foreseen(TeePose block, TeePoint from, TeePoint way) {
  constexpr double kStep = 1.5, kFarthest = 150, kEnough = 12;
  Foreseen best{tee_error(block), 0};
  for (double d = kStep; d <= kFarthest && d - best.distance < kEnough + kStandOff; d += kStep) {
    const TeePoint pusher = from + d * way;
    if (!inside(pusher)) break;
    block = tee_pushed(block, pusher);
    if (const double error = tee_error(block); error < best.error) best = {error, d};
  }
  return best;
}

/// How much nearer in how many ticks.
double worth(double before, const Foreseen& after, double ticks) {
  return std::log((before + kNegligible) / (after.error + kNegligible)) / ticks;
}

TeePose pose_of(std::span<const double> o) {
  if (o.size() == 5) return {o[2], o[3], o[4]};
  return {(o[2] + o[4]) / 2, (o[3] + o[5]) / 2, std::atan2(o[5] - o[3], o[4] - o[2])};
}

}  // namespace

double tee_error(const TeePose& pose) {
  static const double kGyration = gyration();
  const TeePoint off = tee_to_world(pose, kTeeCentre) - tee_to_world(PushT::kGoal, kTeeCentre);
  return off[0] * off[0] + off[1] * off[1] + 2 * kGyration * (1 - std::cos(pose.angle - PushT::kGoal.angle));
}

void PushTExpert::begin(Random& random) {
  side_ = random.uniform() < 0.5 ? -1 : 1;
  doing_ = Doing::kChoosing;
  refused_ = 0;
}

void PushTExpert::choose(TeePoint pusher, const TeePose& block) {
  const double before = tee_error(block);
  double best = -1;
  for (std::size_t i = 0; i < kTeeOutline.size(); ++i) {
    if ((refused_ >> i & 1) != 0) continue;
    const TeePoint a = kTeeOutline[i], b = kTeeOutline[(i + 1) % kTeeOutline.size()];
    const double edge = length(b - a);
    // The outline runs clockwise on the screen, so that outside lies to the left of each edge.
    const TeePoint outward{(b[1] - a[1]) / edge, (a[0] - b[0]) / edge};
    const int places = static_cast<int>(edge / 6);
    for (int n = 0; n < places; ++n) {
      const TeePoint contact = a + (n + 0.5) / places * (b - a);
      const TeePoint from = tee_to_world(block, contact + (kRadius + kStandOff) * outward);
      if (!inside(from) || tee_depth(block, from, kRadius + kStandOff / 2) > 0) continue;
      const Foreseen after = foreseen(block, from, turned(block, -1 * outward));
      if (after.distance <= 0) continue;
      const double way =
          clear(pusher, from, block)
              ? length(from - pusher)
              : 60 + kRound * std::abs(wrapped(angle_of(from - tee_to_world(block, kTeeCentre)) -
                                               angle_of(pusher - tee_to_world(block, kTeeCentre))));
      const double value = worth(before, after, 8 + way / (kStride / 2) + after.distance / (kPushStride / 2));
      if (value > best) best = value, contact_ = contact, outward_ = outward, edge_ = i;
    }
  }
  doing_ = best > 0 ? Doing::kGoing : Doing::kChoosing;
  if (best <= 0) refused_ = 0;
  patience_ = kPatience;
  other_way_ = false;
}

TeePoint PushTExpert::waypoint(TeePoint pusher, TeePoint place, const TeePose& block) const {
  if (clear(pusher, place, block)) return place;
  const TeePoint centre = tee_to_world(block, kTeeCentre);
  const TeePoint from = pusher - centre, to = place - centre;
  const TeePoint landing = kept_inside(centre + kRound * direction(angle_of(to)));
  if (clear(pusher, landing, block)) return landing;
  const double left = wrapped(angle_of(to) - angle_of(from));
  const double shorter = std::abs(left) > 0.65 * pi ? side_ : left < 0 ? -1.0 : 1.0;
  const double sign = other_way_ ? -shorter : shorter;
  for (const double ahead : {0.9, 0.6, 0.3}) {
    const TeePoint next = kept_inside(centre + kRound * direction(angle_of(from) + sign * ahead));
    if (clear(pusher, next, block)) return next;
  }
  return kept_inside(centre + (kRound + 5) * direction(angle_of(from)));
}

std::vector<double> PushTExpert::act(std::span<const double> o) {
  const TeePoint pusher{o[0], o[1]};
  const TeePose block = pose_of(o);
  if (doing_ == Doing::kPushing) {
    // From where it is, along the normal or a little beside it.
    const double before = tee_error(block);
    const TeePoint straight = turned(block, -1 * outward_);
    Foreseen best{before, 0};
    TeePoint way = straight;
    for (const double beside : {0.0, -0.15, 0.15, -0.3, 0.3}) {
      const TeePoint tried = direction(angle_of(straight) + beside);
      const Foreseen after = foreseen(block, pusher, tried);
      if (after.error < 0.98 * best.error) best = after, way = tried;
    }
    if (best.distance > 0.3 && before - best.error > 0.05 * kNegligible && --patience_ > 0)
      return aim(pusher, pusher + best.distance * way, kPushStride);
    doing_ = Doing::kChoosing;
  }
  if (doing_ == Doing::kGoing && --patience_ <= 0) {
    // A wall is in the way.
    if (other_way_) refused_ |= 1u << edge_, doing_ = Doing::kChoosing;
    other_way_ = true, patience_ = kPatience;
  }
  if (doing_ == Doing::kChoosing) choose(pusher, block);
  if (doing_ == Doing::kChoosing) {
    // Nothing helps from here: away from the block.
    const TeePoint centre = tee_to_world(block, kTeeCentre);
    return aim(pusher, kept_inside(centre + kRound * direction(angle_of(pusher - centre))), kStride);
  }
  const TeePoint place = tee_to_world(block, contact_ + (kRadius + kStandOff) * outward_);
  if (length(place - pusher) < 3) {
    doing_ = Doing::kPushing;
    refused_ = 0, patience_ = 80;
  }
  return aim(pusher, waypoint(pusher, place, block), kStride);
}

}  // namespace stream::diffusion_policy
