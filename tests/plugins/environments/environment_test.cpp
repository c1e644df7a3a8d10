/// What holds for every shipped environment: made by name, as operators make them.
#include <gmock/gmock.h>

#include <chrono>
#include <limits>
#include <numeric>

#include "registry/registry.hpp"
#include "stream/environment.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

Registry& registry() {
  static Registry* const made = [] {
    auto* r = new Registry;
    r->scan({STREAM_BINARY_DIR "/lib/stream/plugins"});
    return r;
  }();
  return *made;
}

std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const std::string& name : registry().environment_names()) {
    if (registry().find_environment(name)->plugin->name == "environments") names.push_back(name);
  }
  return names;
}

std::unique_ptr<Environment> made(const std::string& description) {
  return make_environment(description, Context{.environments = &registry()});
}

std::vector<double> random_action(const Space& space, Random& random) {
  if (space.is_discrete())
    return {static_cast<double>(random.below(static_cast<std::uint64_t>(space.choices)))};
  std::vector<double> action(space.size());
  for (std::size_t i = 0; i < action.size(); ++i)
    action[i] = random.uniform(space.low_of(i), space.high_of(i));
  return action;
}

/// Observations and rewards of `steps` random steps, new episodes included, as one list.
std::vector<double> played(Environment& world, std::uint64_t seed, int steps, Random& random) {
  std::vector<double> all;
  for (int i = 0; i < steps; ++i) {
    const Transition next = world.step(random_action(world.spaces().action, random));
    all.insert(all.end(), next.observation.begin(), next.observation.end());
    all.push_back(next.reward);
    all.push_back(next.terminated + 2 * next.truncated);
    if (next.over()) world.reset(++seed);
  }
  return all;
}

class Shipped : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Environments, Shipped, ::testing::ValuesIn(shipped()), [](const auto& param) {
  std::string name = param.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(Shipped, StaysWithinItsSpacesAsItDeclaresThem) {
  const auto world = made(GetParam());
  const EnvironmentInfo& info = *registry().find_environment(GetParam());
  EXPECT_EQ(world->spaces().observation.to_value(), info.spaces.observation.to_value());
  EXPECT_EQ(world->spaces().action.to_value(), info.spaces.action.to_value());
  const Space& space = world->spaces().observation;
  Random random(5);
  auto seen = world->reset(0);
  ASSERT_EQ(seen.size(), space.size());
  for (int step = 0; step < 400; ++step) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      ASSERT_GE(seen[i], space.low_of(i)) << "number " << i << " at step " << step;
      ASSERT_LE(seen[i], space.high_of(i)) << "number " << i << " at step " << step;
    }
    const Transition next = world->step(random_action(world->spaces().action, random));
    seen = next.over() ? world->reset(static_cast<std::uint64_t>(step)) : next.observation;
  }
}

TEST_P(Shipped, IsFixedByItsSeedsAndActions) {
  std::vector<std::vector<double>> runs;
  for (const std::uint64_t seed : {4u, 4u, 5u}) {
    const auto world = made(GetParam());
    world->reset(seed);
    Random random(9);
    runs.push_back(played(*world, seed, 300, random));
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

TEST_P(Shipped, GoesOnFromWhatItSavedAsIfNeverStopped) {
  const auto whole = made(GetParam());
  whole->reset(2);
  Random random(3);
  played(*whole, 2, 137, random);
  Archive state;
  whole->save(state);
  const auto resumed = made(GetParam());
  resumed->load(state);
  EXPECT_TRUE(std::ranges::equal(resumed->observation(), whole->observation()));
  Random again = random;
  EXPECT_EQ(played(*whole, 50, 200, random), played(*resumed, 50, 200, again));
}

TEST_P(Shipped, RefusesWhatIsNoActionAndStaysAsItWas) {
  const auto world = made(GetParam());
  EXPECT_THROW(world->step(0), Error);  // no reset yet
  world->reset(1);
  Archive before;
  world->save(before);
  std::vector<double> action(world->spaces().action.size() + 1, 0.0);
  EXPECT_THROW(world->step(action), Error);
  action.assign(world->spaces().action.size(), std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(world->step(action), Error);
  if (world->spaces().action.is_discrete()) {
    EXPECT_THROW(world->step(-1), Error);
    EXPECT_THROW(world->step(world->spaces().action.choices), Error);
    const std::vector<double> half{0.5};
    EXPECT_THROW(world->step(half), Error);
  }
  const auto untouched = made(GetParam());
  untouched->load(before);
  Random random(3), again(3);
  EXPECT_EQ(played(*world, 1, 20, random), played(*untouched, 1, 20, again));
}

TEST_P(Shipped, RefusesTheStateOfAnother) {
  const auto world = made(GetParam());
  Archive state;
  EXPECT_THROW(world->load(state), Error);
  world->reset(1);
  world->save(state);
  state.set("observation", std::vector<double>(world->spaces().observation.size() + 1));
  EXPECT_THROW(world->load(state), Error);
}

TEST(Environments, UnknownNamesAndParametersAreNamedWithTheNearest) {
  const auto message = [](const std::string& description) -> std::string {
    try {
      made(description);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message("cartpol"), "unknown environment 'cartpol' (did you mean 'cartpole'?)");
  EXPECT_EQ(message("cartpole limt=3"), "cartpole: unknown parameter 'limt' (did you mean 'limit'?)");
  EXPECT_EQ(message("cartpole limit"), "environment cartpole: 'limit' where NAME=VALUE is expected");
  EXPECT_EQ(message("cartpole limit=-1"), "cartpole: parameter 'limit' must be at least 0, is -1");
  EXPECT_EQ(message("cartpole limit=many"), "cartpole: parameter 'limit' must be an integer, is string");
  EXPECT_EQ(made("cartpole limit=7")->limit(), 7);
}

}  // namespace
}  // namespace stream
