#include "environments/twin_track.hpp"

#include <algorithm>
#include <limits>
#include <numbers>

namespace stream {
namespace {

constexpr double kTick = 0.1, kEdge = 0.8;
/// Chance of a new velocity in a tick: once in two seconds.
constexpr double kTurns = 0.05;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Spec TwinTrack::spec() {
  return Spec{"twin-track", "Follow a reference at a constant distance to its left or to its right."}
      .about(
          "A reference moves through a plane and takes a new velocity at random times. Two tracks run beside "
          "it, "
          "0.3 to either side along x. An action is where to go, relative to where the robot is; a spring "
          "pulls "
          "it there for 100 ms (acc = 100 (target - p) - 20 v, steps of 10 ms). A step costs the distance to "
          "the "
          "nearer track. There is no end but the limit.")
      .param("limit", 80, "steps after which an episode is cut off, 0 for never", at_least(0));
}

Spaces TwinTrack::spaces(const Params&) {
  return {Space::box(std::vector<double>(kSize, -kInfinity), std::vector<double>(kSize, kInfinity),
                     {"x from the reference", "y from the reference", "velocity x", "velocity y",
                      "reference x", "reference y", "reference velocity x", "reference velocity y"}),
          Space::box({2}, -kReach, kReach, {"x", "y"})};
}

TwinTrack::TwinTrack(const Params& params) : Environment(spaces(params), params.get<std::int64_t>("limit")) {}

void TwinTrack::turn() {
  const double direction = random().uniform(0, 2 * std::numbers::pi), speed = random().uniform(0.1, 0.4);
  heading_ = {speed * std::cos(direction), speed * std::sin(direction)};
}

void TwinTrack::start(std::span<double> observation) {
  robot_ = {};
  for (std::size_t i = 0; i < 2; ++i) {
    reference_[i] = random().uniform(-0.5, 0.5);
    robot_.position[i] = reference_[i] + random().uniform(-0.1, 0.1);
  }
  turn();
  observe(observation);
}

Environment::Outcome TwinTrack::move(std::span<const double> action, std::span<double> observation) {
  robot_.track({robot_.position[0] + clipped(action, 0), robot_.position[1] + clipped(action, 1)}, [] {});
  if (random().uniform() < kTurns) turn();
  for (std::size_t i = 0; i < 2; ++i) {
    reference_[i] += kTick * heading_[i];
    if (std::abs(reference_[i]) <= kEdge) continue;
    reference_[i] = std::clamp(reference_[i], -kEdge, kEdge);
    heading_[i] = -heading_[i];
  }
  observe(observation);
  return {-std::min(robot_.distance_to(reference_[0] - kOffset, reference_[1]),
                    robot_.distance_to(reference_[0] + kOffset, reference_[1])),
          false};
}

void TwinTrack::observe(std::span<double> observation) const {
  for (std::size_t i = 0; i < 2; ++i) {
    observation[kFromReference + i] = robot_.position[i] - reference_[i];
    observation[kVelocity + i] = robot_.velocity[i];
    observation[kReference + i] = reference_[i];
    observation[kReferenceVelocity + i] = heading_[i];
  }
}

void TwinTrack::store(Archive& state) const {
  state.set("robot",
            std::vector{robot_.position[0], robot_.position[1], robot_.velocity[0], robot_.velocity[1]});
  state.set("reference", std::vector{reference_[0], reference_[1], heading_[0], heading_[1]});
}

void TwinTrack::restore(const Archive& state) {
  const auto robot = stored(state, "robot", 4), reference = stored(state, "reference", 4);
  robot_.position = {robot[0], robot[1]}, robot_.velocity = {robot[2], robot[3]};
  reference_ = {reference[0], reference[1]}, heading_ = {reference[2], reference[3]};
}

}  // namespace stream
