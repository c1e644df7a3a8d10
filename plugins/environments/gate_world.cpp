#include "environments/gate_world.hpp"

#include <limits>
#include <numbers>

namespace stream {
namespace {

constexpr double kTick = 0.1, kGoalHeight = 0.8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Spec GateWorld::spec() {
  return Spec{"gate-world", "Pass a disc on either side and meet a goal that drifts."}
      .about(
          "A point robot starts at the bottom of a plane, a goal drifts from side to side at the top, and a "
          "disc "
          "of radius 0.25 lies between them. An action is where to go, relative to where the robot is; a "
          "spring pulls it there for 100 ms (acc = 100 (target - p) - 20 v, steps of 10 ms). The episode "
          "ends "
          "with a reward of 1 within 0.08 of the goal, and with none on the disc.")
      .param("limit", 80, "steps after which an episode is cut off, 0 for never", at_least(0))
      .param("anywhere", 0.0,
             "share of the episodes that start anywhere, not at the bottom: for demonstrations that show the "
             "way "
             "back to the goal",
             range(0, 1));
}

Spaces GateWorld::spaces(const Params&) {
  return {Space::box(std::vector<double>(kSize, -kInfinity), std::vector<double>(kSize, kInfinity),
                     {"x", "y", "velocity x", "velocity y", "goal x", "goal y", "goal velocity x",
                      "goal velocity y", "disc x"}),
          Space::box({2}, -kReach, kReach, {"x", "y"})};
}

GateWorld::GateWorld(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")),
      anywhere_(params.get<double>("anywhere")) {}

double GateWorld::goal_x() const { return centre_ + swing_ * std::sin(pulse_ * time_ + phase_); }

void GateWorld::start(std::span<double> observation) {
  time_ = 0;
  robot_ = {};
  robot_.position = {random().uniform(-0.2, 0.2), -0.9};
  swing_ = random().uniform(0.1, 0.3);
  pulse_ = 2 * std::numbers::pi / random().uniform(3, 6);
  phase_ = random().uniform(0, 2 * std::numbers::pi);
  centre_ = random().uniform(-0.2, 0.2);
  // Near the straight line to the middle of the goal's path.
  disc_ = (robot_.position[0] + centre_) / 2 + random().uniform(-0.08, 0.08);
  if (anywhere_ > 0 && random().uniform() < anywhere_) {
    do robot_.position = {random().uniform(-0.8, 0.8), random().uniform(-0.9, 1.3)};
    while (robot_.distance_to(disc_, kDiscHeight) < kDiscRadius);
  }
  observe(observation);
}

Environment::Outcome GateWorld::move(std::span<const double> action, std::span<double> observation) {
  bool hit = false;
  robot_.track({robot_.position[0] + clipped(action, 0), robot_.position[1] + clipped(action, 1)},
               [&] { hit = hit || robot_.distance_to(disc_, kDiscHeight) < kDiscRadius; });
  time_ += kTick;
  observe(observation);
  const bool there = !hit && robot_.distance_to(goal_x(), kGoalHeight) < kGoalReach;
  return {there ? 1.0 : 0.0, hit || there};
}

void GateWorld::observe(std::span<double> observation) const {
  const double speed = swing_ * pulse_ * std::cos(pulse_ * time_ + phase_);
  const double seen[kSize] = {robot_.position[0],
                              robot_.position[1],
                              robot_.velocity[0],
                              robot_.velocity[1],
                              goal_x(),
                              kGoalHeight,
                              speed,
                              0,
                              disc_};
  std::copy(std::begin(seen), std::end(seen), observation.begin());
}

void GateWorld::store(Archive& state) const {
  state.set("robot",
            std::vector{robot_.position[0], robot_.position[1], robot_.velocity[0], robot_.velocity[1]});
  state.set("world", std::vector{time_, swing_, pulse_, phase_, centre_, disc_});
}

void GateWorld::restore(const Archive& state) {
  const auto robot = stored(state, "robot", 4), world = stored(state, "world", 6);
  robot_.position = {robot[0], robot[1]}, robot_.velocity = {robot[2], robot[3]};
  time_ = world[0], swing_ = world[1], pulse_ = world[2], phase_ = world[3], centre_ = world[4];
  disc_ = world[5];
}

}  // namespace stream
