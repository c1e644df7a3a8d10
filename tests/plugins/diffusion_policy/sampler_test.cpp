/// The rolling buffer: calls, what is carried over, and what it must equal.
#include <gmock/gmock.h>

#include "diffusion_policy/study_exact.hpp"
#include "policies.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::made_up_observations;
using testing::Small;
using testing::small_policy;

std::vector<std::int64_t> calls_of(const Small& small, SamplerOptions options, int count) {
  Sampler sampler(small_policy(small), options);
  sampler.reset({Random(1)});
  Random random(2);
  std::vector<std::int64_t> out;
  for (int i = 0; i < count; ++i) {
    sampler.call(made_up_observations(sampler.policy(), 1, random));
    out.push_back(sampler.network_calls());
  }
  return out;
}

TEST(Sampler, MakesAnHthOfTheNetworkCallsInEveryCall) {
  EXPECT_THAT(calls_of({.executed = 4, .noise_steps = 48}, {}, 30), Each(12));
  EXPECT_THAT(calls_of({.executed = 8, .noise_steps = 100}, {}, 12), Each(50));
  EXPECT_THAT(calls_of({.executed = 4, .noise_steps = 100}, {}, 12), Each(25));
  EXPECT_THAT(calls_of({}, {.sampling = Sampling::kFull}, 3), Each(48));
  EXPECT_THAT(calls_of({}, {.sampling = Sampling::kImplicit, .implicit_steps = 5}, 3), Each(5));
  EXPECT_THAT(calls_of({}, {.start = Start::kDenoised}, 4), ElementsAre(48, 12, 12, 12));
  EXPECT_THAT(calls_of({}, {.start = Start::kConstant}, 4), Each(12));
}

TEST(Sampler, LoopsOnTheConditionWhereTheNumberOfStepsDoesNotDivide) {
  // Ta = 1, h = 19, N = 100: floor(100 (i+1) / 19) - 1 falls by 5 or 6 from chunk to chunk.
  const auto calls = calls_of({.executed = 1, .noise_steps = 100}, {}, 60);
  EXPECT_EQ(calls[0], 5);
  EXPECT_THAT(calls, Each(::testing::AnyOf(5, 6)));
  // Nineteen calls take what comes in as noise all the way down.
  for (std::size_t first = 0; first + 19 <= calls.size(); ++first) {
    std::int64_t sum = 0;
    for (std::size_t i = first; i < first + 19; ++i) sum += calls[i];
    EXPECT_GE(sum, 95);
    EXPECT_LE(sum, 114);
  }
}

TEST(Sampler, OneChunkIsPlainSamplingBitForBit) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) EXPECT_TRUE(one_chunk_is_plain_sampling(seed));
}

TEST(Sampler, CarriesTheBufferOverAndAppendsNoise) {
  Sampler sampler(small_policy(), {});
  sampler.reset({Random(1)});
  Random random(2);
  const std::vector<float> actions = sampler.call(made_up_observations(sampler.policy(), 1, random));
  // After the roll: the past and the first chunk at 11, then 23 and 35, and pure noise behind.
  EXPECT_THAT(sampler.steps(),
              ElementsAre(11, 11, 11, 11, 11, 23, 23, 23, 23, 35, 35, 35, 35, 47, 47, 47, 47, 47, 47, 47));
  // The first position was the last action: re-noised, it is no longer that action, but near it.
  const NoiseSchedule schedule(48);
  const float expected = static_cast<float>(std::sqrt(schedule.kept(11))) * actions[6];
  EXPECT_NEAR(sampler.buffer()[0], expected, 4 * std::sqrt(1 - schedule.kept(11)));
  EXPECT_NE(sampler.buffer()[0], actions[6]);
}

TEST(Sampler, WhatACallReturnsDependsOnTheBuffer) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) EXPECT_TRUE(buffer_is_carried(small_policy(), seed));
}

TEST(Sampler, LeavesThePastAsItIsWhenAskedTo) {
  Sampler sampler(small_policy(), {.renoise_past = false});
  sampler.reset({Random(1)});
  Random random(2);
  const std::vector<float> actions = sampler.call(made_up_observations(sampler.policy(), 1, random));
  EXPECT_EQ(sampler.buffer()[0], actions[6]);
  EXPECT_EQ(sampler.buffer()[1], actions[7]);
  EXPECT_EQ(sampler.steps()[0], 11);
}

TEST(Sampler, NeedsTheSameMemoryForEver) {
  Sampler sampler(small_policy(), {});
  sampler.reset({Random(1), Random(2)});
  Random random(2);
  sampler.call(made_up_observations(sampler.policy(), 2, random));
  const std::size_t bytes = sampler.state_bytes();
  for (int i = 0; i < 50; ++i) sampler.call(made_up_observations(sampler.policy(), 2, random));
  EXPECT_EQ(sampler.state_bytes(), bytes);
}

TEST(Sampler, ActionsOfARobotAreItsOwn) {
  const Policy policy = small_policy();
  Random random(5);
  const auto three = made_up_observations(policy, 3, random);
  Sampler together(policy, {});
  together.reset({Random(1), Random(2), Random(3)});
  const auto all = together.call(three);
  const std::size_t one = three.size() / 3, acted = all.size() / 3;
  for (std::size_t b = 0; b < 3; ++b) {
    Sampler alone(policy, {});
    alone.reset({Random(b + 1)});
    const auto own = alone.call(std::span(three).subspan(b * one, one));
    EXPECT_THAT(
        own, ::testing::Pointwise(::testing::FloatNear(1e-3f),
                                  std::vector(all.begin() + static_cast<std::ptrdiff_t>(b * acted),
                                              all.begin() + static_cast<std::ptrdiff_t>((b + 1) * acted))));
  }
}

TEST(Sampler, GoesOnFromItsStateBitForBit) {
  for (const Start start : {Start::kZero, Start::kConstant, Start::kDenoised}) {
    const Policy policy = small_policy();
    Sampler whole(policy, {.start = start}), resumed(policy, {.start = start});
    whole.reset({Random(1), Random(2)});
    Random random(2);
    for (int call = 0; call < 4; ++call) {
      Archive state;
      whole.save(state);
      resumed.load(state);
      const auto seen = made_up_observations(policy, 2, random);
      EXPECT_EQ(whole.call(seen), resumed.call(seen)) << "call " << call;
    }
  }
}

TEST(Sampler, RefusesTheStateOfAnotherPolicy) {
  Sampler sampler(small_policy(), {}), other(small_policy({.horizon = 12}), {});
  sampler.reset({Random(1)});
  Random random(2);
  sampler.call(made_up_observations(sampler.policy(), 1, random));
  Archive state;
  sampler.save(state);
  EXPECT_THROW(other.load(state), Error);
  state.set("steps", std::vector<std::int64_t>(20, 48));
  EXPECT_THROW(sampler.load(state), Error);
}

}  // namespace
}  // namespace stream::diffusion_policy
