/// The classic control tasks against steps that Gymnasium computed (goldens/make_classic_control.py).
#include <gmock/gmock.h>

#include <map>

#include "environments/acrobot.hpp"
#include "environments/cartpole.hpp"
#include "environments/mountain_car.hpp"
#include "environments/pendulum.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "world.hpp"

namespace stream {
namespace {

using testing::make_world;

constexpr double kTolerance = 1e-9;

std::vector<double> numbers(const Value& value) {
  std::vector<double> out;
  for (const Value& v : value.as_array()) out.push_back(v.as_double());
  return out;
}

Value goldens(const std::string& task) {
  const Value file = Value::parse(
      read_file(STREAM_SOURCE_DIR "/tests/plugins/environments/goldens/classic_control.json", 1 << 22));
  return *file.as_object().find("tasks")->as_object().find(task);
}

/// How each task's state is named in an archive.
std::vector<double> state_of(const Archive& world) {
  for (const char* whole : {"cart_and_pole", "links"}) {
    if (world.has(whole)) return world.get<std::vector<double>>(whole);
  }
  if (world.has("angle")) return {world.get<double>("angle"), world.get<double>("angular_velocity")};
  return {world.get<double>("position"), world.get<double>("velocity")};
}

void set_state(Archive& world, const std::vector<double>& state) {
  for (const char* whole : {"cart_and_pole", "links"}) {
    if (world.has(whole)) return world.set(whole, state);
  }
  const bool angular = world.has("angle");
  world.set(angular ? "angle" : "position", state.at(0));
  world.set(angular ? "angular_velocity" : "velocity", state.at(1));
}

template <typename Env>
void expect_the_published_steps(const std::string& task, std::size_t at_least) {
  const Value steps = goldens(task);
  ASSERT_GE(steps.as_array().size(), at_least);
  const auto world = make_world<Env>({{"limit", 0}});
  for (const Value& step : steps.as_array()) {
    const Array& golden = step.as_array();
    world->reset(1);
    Archive state;
    world->save(state);
    set_state(state.group("world"), numbers(golden[0]));
    world->load(state);
    const Transition next = world->step(numbers(golden[1]));
    Archive after;
    // An episode that is over has no state to save; its observation says enough.
    if (!next.over()) {
      world->save(after);
      EXPECT_THAT(state_of(after.group("world")),
                  ::testing::Pointwise(::testing::DoubleNear(kTolerance), numbers(golden[2])));
    }
    EXPECT_THAT(next.observation,
                ::testing::Pointwise(::testing::DoubleNear(kTolerance), numbers(golden[3])));
    EXPECT_NEAR(next.reward, golden[4].as_double(), kTolerance);
    EXPECT_EQ(next.terminated, golden[5].as_bool());
    if (::testing::Test::HasFailure())
      FAIL() << task << " from " << golden[0].dump() << " by " << golden[1].dump();
  }
}

TEST(ClassicControl, CartPoleStepsAsPublished) { expect_the_published_steps<CartPole>("cartpole", 30); }
TEST(ClassicControl, AcrobotStepsAsPublished) { expect_the_published_steps<Acrobot>("acrobot", 150); }
TEST(ClassicControl, MountainCarStepsAsPublished) {
  expect_the_published_steps<MountainCar>("mountain-car", 300);
}
TEST(ClassicControl, MountainCarContinuousStepsAsPublished) {
  expect_the_published_steps<MountainCarContinuous>("mountain-car-continuous", 300);
}
TEST(ClassicControl, PendulumStepsAsPublished) { expect_the_published_steps<Pendulum>("pendulum", 150); }

TEST(ClassicControl, EpisodesStartWhereTheyShould) {
  const auto cartpole = make_world<CartPole>();
  const auto pendulum = make_world<Pendulum>();
  const auto car = make_world<MountainCar>();
  double low = 1, high = -1;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const double part : cartpole->reset(seed)) EXPECT_LE(std::abs(part), 0.05);
    const auto hanging = pendulum->reset(seed);
    EXPECT_LE(std::abs(hanging[2]), 1);
    low = std::min(low, hanging[0]), high = std::max(high, hanging[0]);
    const auto seen = car->reset(seed);
    EXPECT_GE(seen[0], -0.6);
    EXPECT_LE(seen[0], -0.4);
    EXPECT_EQ(seen[1], 0);
  }
  EXPECT_LT(low, -0.9);
  EXPECT_GT(high, 0.9);
}

TEST(ClassicControl, AnEpisodeIsCutOffAtItsLimit) {
  const auto car = make_world<MountainCar>({{"limit", 5}});
  car->reset(3);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(car->step(1).over());
  const Transition last = car->step(1);
  EXPECT_TRUE(last.truncated);
  EXPECT_FALSE(last.terminated);
  EXPECT_THROW(car->step(1), Error);
}

}  // namespace
}  // namespace stream
