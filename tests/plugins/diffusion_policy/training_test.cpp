/// Demonstrations and what is learnt from them.
#include <gmock/gmock.h>

#include "diffusion_policy/experts.hpp"
#include "diffusion_policy/sampler.hpp"
#include "diffusion_policy/trainer.hpp"
#include "environments/gate_world.hpp"
#include "hdf5/archive_file.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

using stream::testing::ScratchFolder;
using ::testing::HasSubstr;

DenoiserShape small_shape() {
  DenoiserShape shape;
  shape.step_code = 8;
  shape.dims = {8, 16};
  return shape;
}

/// Episodes in which the action is minus the observation.
Episodes mirrored(std::int64_t count, std::int64_t ticks) {
  Episodes out{1, 1, {}};
  Random random(1);
  for (std::int64_t i = 0; i < count; ++i) {
    Episode e;
    const auto level = static_cast<float>(random.uniform(-1, 1));
    for (std::int64_t t = 0; t < ticks; ++t) e.observations.push_back(level), e.actions.push_back(-level);
    out.list.push_back(std::move(e));
  }
  return out;
}

TEST(Normaliser, MapsEachDimensionToPlusMinusOneAndBack) {
  const std::vector<float> a{0, 5, 10, 5}, b{2, 5, 6, 5};
  const Normaliser n = Normaliser::fitted({&a, &b}, 2);
  std::vector<float> out(4), back(4);
  n.apply(a, out);
  EXPECT_THAT(out, ::testing::ElementsAre(-1, 0, 1, 0));  // the second never changes
  n.invert(out, back);
  EXPECT_EQ(back, a);
}

TEST(Episodes, AreReadAsTheyWereWritten) {
  const ScratchFolder folder;
  const std::string path = (folder / "episodes.h5").string();
  const Episodes written = mirrored(3, 7);
  write_episodes(path, written);
  const Episodes read = read_episodes(path);
  ASSERT_EQ(read.list.size(), 3u);
  EXPECT_EQ(read.observation, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.list[i].observations, written.list[i].observations);
    EXPECT_EQ(read.list[i].actions, written.list[i].actions);
  }
}

TEST(Episodes, WhatIsWrongIsNamedWithFileAndEpisode) {
  const ScratchFolder folder;
  const std::string path = (folder / "episodes.h5").string();
  const auto refused = [&](auto fill) -> std::string {
    Archive file;
    fill(file);
    write_archive(path, file);
    try {
      read_episodes(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const auto table = [](std::int64_t rows, std::int64_t columns, float value = 0) {
    return Tensor::of(std::vector<float>(static_cast<std::size_t>(rows * columns), value), {rows, columns});
  };
  const auto add = [&](Archive& file, const char* name, Tensor obs, Tensor action) {
    Archive& e = file.group("episodes").group(name);
    e.set("obs", std::move(obs));
    e.set("action", std::move(action));
  };
  EXPECT_THAT(refused([](Archive& f) { f.set("other", 1); }), HasSubstr(path));
  EXPECT_THAT(refused([](Archive& f) { f.group("episodes"); }), HasSubstr("no episodes"));
  EXPECT_THAT(refused([&](Archive& f) { add(f, "a", table(3, 2), table(4, 1)); }),
              HasSubstr("episode a: 'obs' has 3 ticks and 'action' 4"));
  EXPECT_THAT(refused([&](Archive& f) {
                add(f, "a", table(3, 2), table(3, 1));
                add(f, "b", table(3, 3), table(3, 1));
              }),
              HasSubstr("episode b"));
  EXPECT_THAT(refused([&](Archive& f) { add(f, "a", table(3, 2, NAN), table(3, 1)); }),
              HasSubstr("'obs' holds what is no finite number at tick 0"));
}

TEST(Demonstrator, ShowsBothWaysOfPassingAndNeverTheDisc) {
  Demonstrator demonstrator({.environment = "gate-world", .seed = 1}, Context{});
  int left = 0;
  constexpr int kEpisodes = 60;
  for (int i = 0; i < kEpisodes; ++i) {
    const Episode e = demonstrator.episode(i);
    ASSERT_EQ(e.observations.size() / GateWorld::kSize, e.actions.size() / 2);
    for (std::size_t t = 0; t < e.actions.size() / 2; ++t) {
      const float* const o = e.observations.data() + t * GateWorld::kSize;
      EXPECT_GE(std::hypot(o[0] - o[8], o[1]), GateWorld::kDiscRadius);
      if (std::abs(o[1]) < 0.05) {
        left += o[0] < o[8];
        break;
      }
    }
    // The last action ends within reach of the goal: the episode was one that succeeded.
    const float* const last = e.observations.data() + e.observations.size() - GateWorld::kSize;
    EXPECT_LT(std::hypot(last[0] - last[4], last[1] - last[5]), 0.25f);
  }
  EXPECT_GT(left, kEpisodes / 4);
  EXPECT_LT(left, 3 * kEpisodes / 4);
}

/// Attempts, failed ones included, with what is executed as it was meant.
TEST(Demonstrator, PushesTheBlockOntoItsOutlineFromNearlyEverywhere) {
  for (const std::string environment : {"push-t", "push-t observe=keypoints"}) {
    const auto world = make_environment(environment, Context{});
    const auto expert = expert_for(environment);
    Random random(3);
    int succeeded = 0;
    double ticks = 0;
    for (int attempt = 0; attempt < 40; ++attempt) {
      expert->begin(random);
      Transition next;
      for (auto seen = world->reset(random()); !next.over(); seen = next.observation, ++ticks)
        next = world->step(expert->act(seen));
      succeeded += expert->succeeded(next);
    }
    EXPECT_GE(succeeded, 36) << environment;
    EXPECT_LE(ticks / 40, 150) << environment;
  }
}

TEST(Demonstrator, AnEpisodeIsFixedBySeedAndIndex) {
  Demonstrator one({.environment = "twin-track", .seed = 1}, Context{});
  Demonstrator two({.environment = "twin-track", .seed = 1}, Context{});
  one.episode(0);
  EXPECT_EQ(one.episode(5).observations, two.episode(5).observations);
  EXPECT_NE(one.episode(5).observations, one.episode(6).observations);
  EXPECT_THROW(Demonstrator({.environment = "cartpole"}, Context{}), Error);
}

TEST(Trainer, LearnsWhatIsShown) {
  TrainerOptions options;
  options.objective = Objective::kCloning;
  options.steps = 400;
  options.batch = 32;
  options.learning_rate = 5e-3;
  options.warmup = 20;
  DenoiserShape shape = small_shape();
  shape.dims = {16};
  Trainer trainer(shape, options, mirrored(40, 10), Random(1));
  while (!trainer.finished()) trainer.step();
  // Whoever always says the mean is off by the variance of numbers uniform in [-1, 1]: 1/3.
  EXPECT_LT(trainer.loss(), 0.05);
  Sampler sampler(trainer.policy(), {.sampling = Sampling::kDirect});
  sampler.reset({Random(1)});
  for (const float level : {-0.8f, -0.2f, 0.5f}) {
    const auto actions = sampler.call(std::vector<float>(2, level));
    ASSERT_EQ(actions.size(), 4u);
    for (const float a : actions) EXPECT_NEAR(a, -level, 0.25);
  }
}

TEST(Trainer, GoesOnFromItsStateBitForBit) {
  for (const Objective objective : {Objective::kStreaming, Objective::kDiffusion, Objective::kCloning}) {
    TrainerOptions options;
    options.objective = objective;
    options.steps = 8;
    options.batch = 4;
    Trainer whole(small_shape(), options, mirrored(5, 9), Random(1));
    Trainer resumed(small_shape(), options, mirrored(5, 9), Random(7));
    for (int i = 0; i < 3; ++i) whole.step();
    Archive state;
    whole.save(state);
    resumed.load(state);
    while (!whole.finished()) whole.step(), resumed.step();
    EXPECT_EQ(whole.loss(), resumed.loss());
    const ScratchFolder folder;
    const std::string a = (folder / "a.h5").string(), b = (folder / "b.h5").string();
    save_policy(a, whole.policy());
    save_policy(b, resumed.policy());
    EXPECT_EQ(stream::testing::contents(a), stream::testing::contents(b));
  }
}

TEST(Trainer, RefusesWhatCannotBe) {
  const auto refused = [](const DenoiserShape& shape, const TrainerOptions& options) {
    EXPECT_THROW(Trainer(shape, options, mirrored(2, 5), Random(1)), Error);
  };
  DenoiserShape shape = small_shape();
  shape.horizon = 7;
  refused(shape, {});
  TrainerOptions options;
  options.executed = 20;
  refused(small_shape(), options);
  shape = small_shape();
  shape.noise_steps = 2;
  refused(shape, {});
}

}  // namespace
}  // namespace stream::diffusion_policy
