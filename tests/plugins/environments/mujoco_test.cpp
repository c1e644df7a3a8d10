/// The runners: observations, rewards and ends as published, computed here from the saved positions and
/// speeds.
#include <gmock/gmock.h>

#include <cmath>

#include "environments/mujoco_world.hpp"
#include "stream/error.hpp"
#include "world.hpp"

namespace stream {
namespace {

using testing::make_world;

struct Published {
  int hidden;
  double seconds, control_cost, alive, bound;
};

struct Pose {
  std::vector<double> positions, velocities;
};

Pose pose_of(const Environment& world) {
  Archive state;
  world.save(state);
  const Archive& inner = state.group("world");
  return {inner.get<std::vector<double>>("positions"), inner.get<std::vector<double>>("velocities")};
}

template <typename Runner>
void expect_as_published(const std::string& file, const Published& task) {
  const auto world = make_world<Runner>({{"model", STREAM_SOURCE_DIR "/share/environments/" + file}});
  Random random(1);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    world->reset(seed);
    for (int step = 0; step < 40; ++step) {
      const Pose before = pose_of(*world);
      std::vector<double> action(world->spaces().action.size());
      double effort = 0;
      for (double& a : action) {
        a = random.uniform(-1.2, 1.2);
        effort += std::pow(std::clamp(a, -1.0, 1.0), 2);
      }
      const Transition next = world->step(action);
      if (next.over()) break;
      const Pose after = pose_of(*world);
      std::vector<double> expected(after.positions.begin() + task.hidden, after.positions.end());
      for (const double v : after.velocities) expected.push_back(std::clamp(v, -task.bound, task.bound));
      EXPECT_THAT(next.observation, ::testing::Pointwise(::testing::DoubleNear(1e-12), expected));
      EXPECT_NEAR(
          next.reward,
          (after.positions[0] - before.positions[0]) / task.seconds + task.alive - task.control_cost * effort,
          1e-9);
    }
  }
}

constexpr double kUnbounded = 1e300;

TEST(Mujoco, HalfCheetahAsPublished) {
  expect_as_published<HalfCheetah>("half-cheetah.xml", {1, 0.05, 0.1, 0, kUnbounded});
}
TEST(Mujoco, HopperAsPublished) { expect_as_published<Hopper>("hopper.xml", {1, 0.008, 1e-3, 1, 10}); }
TEST(Mujoco, WalkerAsPublished) { expect_as_published<Walker>("walker.xml", {1, 0.008, 1e-3, 1, 10}); }
TEST(Mujoco, SwimmerAsPublished) {
  expect_as_published<Swimmer>("swimmer.xml", {2, 0.04, 1e-4, 0, kUnbounded});
}

TEST(Mujoco, AHopperThatFallsEndsTheEpisode) {
  const auto world = make_world<Hopper>({{"model", STREAM_SOURCE_DIR "/share/environments/hopper.xml"}});
  world->reset(0);
  Transition next;
  int steps = 0;
  while (!next.over() && steps < 1000) {
    next = world->step(std::vector{1.0, -1.0, 1.0});
    ++steps;
  }
  EXPECT_TRUE(next.terminated);
  EXPECT_LT(steps, 200);
  EXPECT_TRUE(next.observation[0] <= 0.7 || std::abs(next.observation[1]) >= 0.2);
}

TEST(Mujoco, RunnersStandOnTheGroundWhenTheyStart) {
  const auto cheetah =
      make_world<HalfCheetah>({{"model", STREAM_SOURCE_DIR "/share/environments/half-cheetah.xml"}});
  cheetah->reset(4);
  for (int step = 0; step < 200; ++step) cheetah->step(std::vector(6, 0.0));
  // Its height is measured from where it was drawn, 0.7 m up: it neither sinks in nor flies off.
  EXPECT_NEAR(cheetah->observation()[0], 0, 0.3);
  const auto walker = make_world<Walker>({{"model", STREAM_SOURCE_DIR "/share/environments/walker.xml"}});
  EXPECT_NEAR(walker->reset(4)[0], 1.25, 0.01);
}

TEST(Mujoco, ModelsThatAreMissingWrongOrOfAnotherBodyAreNamed) {
  const auto refused = [](const std::string& path) -> std::string {
    try {
      make_world<Hopper>({{"model", path}});
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(refused("/nowhere/hopper.xml"), ::testing::StartsWith("/nowhere/hopper.xml: no such model"));
  EXPECT_THAT(refused(STREAM_SOURCE_DIR "/share/environments/swimmer.xml"),
              ::testing::HasSubstr("has 5 positions, 5 velocities and 2 actuators, expected 6, 6 and 3"));
  EXPECT_THAT(refused(STREAM_SOURCE_DIR "/CMakeLists.txt"),
              ::testing::StartsWith(STREAM_SOURCE_DIR "/CMakeLists.txt: "));
}

}  // namespace
}  // namespace stream
