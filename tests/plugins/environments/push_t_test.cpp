/// Push-T: coverage, and how a push moves the block. GateWorld and TwinTrack: what ends and what earns.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "environments/gate_world.hpp"
#include "environments/push_t.hpp"
#include "environments/twin_track.hpp"
#include "stream/error.hpp"
#include "world.hpp"

namespace stream {
namespace {

using testing::make_world;

/// Whether a point lies in the T, written as the published corners say.
bool in_tee(const TeePose& pose, double x, double y) {
  const double dx = x - pose.x, dy = y - pose.y;
  const double u = dx * std::cos(-pose.angle) - dy * std::sin(-pose.angle);
  const double v = dx * std::sin(-pose.angle) + dy * std::cos(-pose.angle);
  return (std::abs(u) <= 60 && v >= 0 && v <= 30) || (std::abs(u) <= 15 && v >= 30 && v <= 120);
}

TEST(PushT, CoverageIsTheShareOfPointsThatBothHold) {
  EXPECT_NEAR(tee_coverage(PushT::kGoal, PushT::kGoal), 1, 1e-12);
  Random random(1);
  for (int i = 0; i < 30; ++i) {
    const TeePose pose{256 + random.uniform(-60, 60), 256 + random.uniform(-60, 60), random.uniform(0, 7)};
    int both = 0, goal = 0;
    for (int n = 0; n < 40000; ++n) {
      const double x = random.uniform(100, 420), y = random.uniform(100, 420);
      const bool wanted = in_tee(PushT::kGoal, x, y);
      goal += wanted;
      both += wanted && in_tee(pose, x, y);
    }
    EXPECT_NEAR(tee_coverage(pose, PushT::kGoal), both / static_cast<double>(goal), 0.03);
  }
}

/// The world with pusher and block where they are said to be.
void place(Environment& world, double px, double py, const TeePose& block) {
  world.reset(1);
  Archive state;
  world.save(state);
  state.group("world").set("pusher", std::vector{px, py, 0.0, 0.0});
  state.group("world").set("block", std::vector{block.x, block.y, block.angle});
  world.load(state);
}

TEST(PushT, APushThroughTheCentreShiftsAndOneBesideItTurns) {
  const auto world = make_world<PushT>();
  // Upright, stem down (y grows downwards); pushed along the axis of symmetry from above.
  place(*world, 200, 150, {200, 200, 0});
  Transition next;
  for (int i = 0; i < 10; ++i) next = world->step(std::vector{200.0, 250.0});
  EXPECT_NEAR(next.observation[2], 200, 1e-6);
  EXPECT_NEAR(next.observation[3], next.observation[1] + 15, 1e-6) << "it touches the pusher";
  EXPECT_NEAR(std::sin(next.observation[4]), 0, 1e-9);
  // On the right end of the bar: it turns clockwise on the screen (the angle grows), and less than it would
  // shift.
  place(*world, 250, 150, {200, 200, 0});
  for (int i = 0; i < 10; ++i) next = world->step(std::vector{250.0, 220.0});
  EXPECT_GT(next.observation[4], 0.1);
  EXPECT_LT(next.observation[4], 2);
}

TEST(PushT, ThePusherIsNeverInsideTheBlock) {
  const auto world = make_world<PushT>({{"limit", 0}});
  Random random(3);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    auto seen = world->reset(seed);
    for (int step = 0; step < 200; ++step) {
      const TeePose block{seen[2], seen[3], seen[4]};
      // The block's centre may be held by a wall; elsewhere nothing keeps it in the pusher.
      const double cx = block.x - std::sin(block.angle) * 40.7, cy = block.y + std::cos(block.angle) * 40.7;
      if (cx > 5 && cx < 507 && cy > 5 && cy < 507) {
        for (int k = 0; k < 16; ++k)
          EXPECT_FALSE(
              in_tee(block, seen[0] + 14 * std::cos(k * 0.3927), seen[1] + 14 * std::sin(k * 0.3927)));
      }
      const Transition next = world->step(std::vector{random.uniform(0, 512), random.uniform(0, 512)});
      if (next.over()) break;
      seen = next.observation;
    }
  }
}

TEST(PushT, TheBlockOnItsOutlineEndsTheEpisodeWithAFullReward) {
  const auto world = make_world<PushT>();
  place(*world, 100, 100, PushT::kGoal);
  const Transition next = world->step(std::vector{100.0, 100.0});
  EXPECT_TRUE(next.terminated);
  EXPECT_EQ(next.reward, 1);
  place(*world, 100, 100, {256 + 20, 256, PushT::kGoal.angle});
  const Transition off = world->step(std::vector{100.0, 100.0});
  EXPECT_FALSE(off.over());
  EXPECT_NEAR(off.reward, tee_coverage({276, 256, PushT::kGoal.angle}, PushT::kGoal) / 0.95, 1e-12);
}

TEST(PushT, KeypointsAreTheCornersAndTheCentreOfArea) {
  const auto world = make_world<PushT>({{"observe", "keypoints"}});
  // A quarter turn: what pointed right points down.
  place(*world, 100, 400, {300, 200, std::numbers::pi / 2});
  const Transition next = world->step(std::vector{100.0, 400.0});
  const auto& seen = next.observation;
  ASSERT_EQ(seen.size(), 20u);
  EXPECT_NEAR(seen[0], 100, 1e-9);
  const double wanted[][2] = {{300, 140}, {300, 260}, {270, 260},
                              {270, 215}, {180, 215}, {180, 185},
                              {270, 185}, {270, 140}, {300 - 285.0 / 7, 200}};
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_NEAR(seen[2 + 2 * i], wanted[i][0], 1e-9) << i;
    EXPECT_NEAR(seen[3 + 2 * i], wanted[i][1], 1e-9) << i;
  }
}

TEST(PushT, ThePlaceOfAPointInTheBlockAndBack) {
  const TeePose pose{120, 340, 2.5};
  for (const TeePoint& corner : kTeeOutline) {
    const TeePoint back = tee_to_local(pose, tee_to_world(pose, corner));
    EXPECT_NEAR(back[0], corner[0], 1e-9);
    EXPECT_NEAR(back[1], corner[1], 1e-9);
    const double depth = tee_depth(pose, tee_to_world(pose, corner), 15);
    EXPECT_GE(depth, 15 - 1e-9) << "a corner is the block's own";
  }
  EXPECT_NEAR(tee_depth({0, 0, 0}, {0, -20}, 15), -5, 1e-12);
}

TEST(GateWorld, TheDiscEndsTheEpisodeWithNothing) {
  const auto world = make_world<GateWorld>();
  const auto first = world->reset(2);
  const double disc = first[GateWorld::kDisc];
  Transition next;
  while (!next.over()) {
    const auto seen = world->observation();
    next = world->step(std::vector{std::clamp(disc - seen[0], -0.1, 0.1), 0.1});
  }
  EXPECT_TRUE(next.terminated);
  EXPECT_EQ(next.reward, 0);
}

TEST(GateWorld, TheSpringPullsAsPublished) {
  // acc = 100 (u - p) - 20 v, a hundred steps a second, ten of them to a tick.
  const auto world = make_world<GateWorld>();
  double y = world->reset(2)[1], v = 0;
  for (int tick = 0; tick < 5; ++tick) {
    const double target = y + 0.05 * tick;
    for (int step = 0; step < 10; ++step) {
      v = v + (100 * (target - y) - 20 * v) / 100;
      y = y + v / 100;
    }
    const Transition next = world->step(std::vector{0.0, 0.05 * tick});
    EXPECT_NEAR(next.observation[1], y, 1e-9);
    EXPECT_NEAR(next.observation[3], v, 1e-9);
  }
}

TEST(TwinTrack, AStepCostsTheDistanceToTheNearerTrack) {
  const auto world = make_world<TwinTrack>();
  world->reset(4);
  Random random(1);
  for (int i = 0; i < 79; ++i) {
    const Transition next = world->step(std::vector{random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)});
    const auto o = next.observation;
    const double left = std::hypot(o[0] + 0.3, o[1]), right = std::hypot(o[0] - 0.3, o[1]);
    EXPECT_NEAR(next.reward, -std::min(left, right), 1e-12);
    EXPECT_FALSE(next.over());
  }
  EXPECT_TRUE(world->step(std::vector{0.0, 0.0}).truncated);
}

}  // namespace
}  // namespace stream
