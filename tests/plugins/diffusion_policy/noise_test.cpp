/// The noise schedule, its steps, and who is at which step when.
#include <gmock/gmock.h>

#include <cmath>

#include "diffusion_policy/chunks.hpp"
#include "diffusion_policy/noise_schedule.hpp"
#include "diffusion_policy/trainer.hpp"

namespace stream::diffusion_policy {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

/// squaredcos_cap_v2, written out once more in the other direction: A_k as a ratio, where no beta was capped.
double kept_in_closed_form(std::int64_t k, std::int64_t n) {
  const auto square_of_cosine = [](double t) { return 0.5 * (1 + std::cos((t + 0.008) / 1.008 * M_PI)); };
  return square_of_cosine(static_cast<double>(k + 1) / static_cast<double>(n)) / square_of_cosine(0);
}

TEST(NoiseSchedule, KeepsWhatTheCosineSays) {
  for (const std::int64_t n : {12, 48, 100}) {
    const NoiseSchedule schedule(n);
    EXPECT_EQ(schedule.steps(), n);
    EXPECT_EQ(schedule.kept(-1), 1);
    // The last step's beta is capped at 0.999: the closed form would leave nothing at all.
    for (std::int64_t k = 0; k < n - 1; ++k) EXPECT_NEAR(schedule.kept(k), kept_in_closed_form(k, n), 1e-12);
    EXPECT_DOUBLE_EQ(schedule.beta(n - 1), 0.999);
    EXPECT_NEAR(schedule.kept(n - 1), 0.001 * schedule.kept(n - 2), 1e-15);
  }
}

TEST(NoiseSchedule, AStepWithTheTrueNoiseLeadsBackToTheCleanValue) {
  const NoiseSchedule schedule(48);
  Random random(1);
  for (int i = 0; i < 50; ++i) {
    const auto clean = static_cast<float>(random.uniform(-1, 1)), noise = static_cast<float>(random.normal());
    const auto first = static_cast<std::int64_t>(random.below(47));
    // The very last step keeps a thousandth of nothing: there a float no longer holds the clean value.
    float x = schedule.noised(clean, noise, first);
    EXPECT_NEAR(schedule.jumped(x, noise, first, -1), clean, 2e-3);
    EXPECT_NEAR(schedule.denoised(schedule.noised(clean, noise, 0), noise, 7.0f, 0), clean, 1e-4)
        << "the last step adds nothing";
  }
}

TEST(NoiseSchedule, AStepIsThePosteriorOfTheForwardProcess) {
  // q(x_{k-1} | x_k, x0) from the two Gaussians that it is made of: precision-weighted means.
  const NoiseSchedule schedule(20);
  for (std::int64_t k = 1; k < 20; ++k) {
    const double alpha = 1 - schedule.beta(k), before = schedule.kept(k - 1);
    const double clean = 0.3, x = -0.4;
    const double precision_prior = 1 / (1 - before), precision_likelihood = alpha / schedule.beta(k);
    const double variance = 1 / (precision_prior + precision_likelihood);
    const double mean = variance * (precision_prior * std::sqrt(before) * clean +
                                    precision_likelihood * x / std::sqrt(alpha));
    const double noise = (x - std::sqrt(schedule.kept(k)) * clean) / std::sqrt(1 - schedule.kept(k));
    EXPECT_NEAR(schedule.denoised(static_cast<float>(x), static_cast<float>(noise), 0, k), mean, 2e-5) << k;
    EXPECT_NEAR(schedule.denoised(static_cast<float>(x), static_cast<float>(noise), 1, k) -
                    schedule.denoised(static_cast<float>(x), static_cast<float>(noise), 0, k),
                std::sqrt(variance), 2e-5)
        << k;
  }
}

TEST(NoiseSchedule, EstimatesAreClippedAndCleanValuesStay) {
  const NoiseSchedule schedule(48);
  EXPECT_EQ(schedule.denoised(0.7f, 100.0f, 3.0f, -1), 0.7f);
  EXPECT_LE(std::abs(schedule.denoised(50.0f, 0.0f, 0.0f, 0)), 1.0f + 1e-6f);
  EXPECT_EQ(schedule.jumped(0.7f, 100.0f, -1, -1), 0.7f);
}

TEST(NoiseSchedule, DdimVisitsStepsOfTheWholeRange) {
  EXPECT_THAT(ddim_steps(48, 4), ElementsAre(47, 35, 23, 11));
  EXPECT_THAT(ddim_steps(100, 16).front(), 99);
  EXPECT_THAT(ddim_steps(100, 16).back(), 5);
  EXPECT_EQ(ddim_steps(48, 48).size(), 48u);
}

TEST(Chunks, CountPositionsAsPublished) {
  const Chunks chunks{20, 2, 4};
  EXPECT_EQ(chunks.count(), 4);
  EXPECT_EQ(chunks.tail(), 3);
  EXPECT_THAT(chunks.staircase(48),
              ElementsAre(11, 11, 11, 11, 11, 23, 23, 23, 23, 35, 35, 35, 35, 47, 47, 47, 47, 47, 47, 47));
  EXPECT_EQ((Chunks{20, 2, 8}.count()), 2);
  EXPECT_EQ((Chunks{20, 2, 8}.tail()), 3);
  EXPECT_EQ((Chunks{20, 2, 1}.count()), 19);
  EXPECT_EQ((Chunks{8, 1, 8}.count()), 1);
}

TEST(Regimes, ConstantIsOneStepAndChunkwiseIsTheStaircaseMovedDown) {
  const Chunks chunks{20, 2, 4};
  Random random(2);
  std::vector<int> constants(48, 0), offsets(12, 0);
  for (int i = 0; i < 4000; ++i) {
    const auto one = drawn_steps(chunks, 48, true, random);
    EXPECT_THAT(one, Each(one[0]));
    ++constants.at(static_cast<std::size_t>(one[0]));
    const auto stairs = drawn_steps(chunks, 48, false, random);
    const std::int64_t back = 11 - stairs[0];
    ++offsets.at(static_cast<std::size_t>(back));
    for (std::size_t p = 0; p < stairs.size(); ++p) EXPECT_EQ(stairs[p], chunks.staircase(48)[p] - back);
  }
  EXPECT_THAT(constants, Each(::testing::Gt(40)));
  EXPECT_THAT(offsets, Each(::testing::Gt(240)));
}

}  // namespace
}  // namespace stream::diffusion_policy
