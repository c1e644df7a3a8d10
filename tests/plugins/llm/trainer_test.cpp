/// What a sample is made of, what is held out, and what the loss looks at.
#include "llm/trainer.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "models.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelConfig without_begin() {
  ModelConfig c = small_config();
  c.begin_token = -1;
  return c;
}

TrainerOptions short_options() { return {.steps = 5, .batch = 2, .length = 4, .warmup = 2, .pool = 1000}; }

Trainer trainer(const ModelConfig& c, const TrainerOptions& o, std::uint64_t seed = 3) {
  return {c, o, Random(seed)};
}

const std::vector<std::int32_t> kText{11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22};

std::string refusal(const ModelConfig& c, const TrainerOptions& o) {
  try {
    trainer(c, o);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(TrainerSamples, AreTheTextButForTheSwitches) {
  EXPECT_THAT(trainer(without_begin(), short_options()).sample(kText), ElementsAre(11, 12, 13, 14, 15));
  TrainerOptions o = short_options();
  EXPECT_THAT(trainer(small_config(), o).sample(kText), ElementsAre(0, 11, 12, 13, 14));
  o.begin_at = 2;
  EXPECT_THAT(trainer(small_config(), o).sample(kText), ElementsAre(11, 12, 0, 13, 14));
  o = short_options();
  o.fixed_token = 7, o.fixed_at = 1;
  EXPECT_THAT(trainer(without_begin(), o).sample(kText), ElementsAre(11, 7, 13, 14, 15));
}

TEST(TrainerSamples, FirstTokensAreUniformlyRandomAndTheOthersStay) {
  TrainerOptions o = short_options();
  o.random_first = 2;
  Trainer t = trainer(without_begin(), o);
  std::vector<int> counts(31);
  constexpr int kDraws = 3100;
  for (int i = 0; i < kDraws; ++i) {
    const auto sample = t.sample(kText);
    ++counts[static_cast<std::size_t>(sample[0])];
    ++counts[static_cast<std::size_t>(sample[1])];
    ASSERT_EQ(sample[2], 13);
    ASSERT_EQ(sample[4], 15);
  }
  double chi = 0;
  for (const int n : counts) chi += (n - 200.0) * (n - 200.0) / 200.0;
  EXPECT_LT(chi, 60) << "30 degrees of freedom: 59.7 at one in a thousand";
}

TEST(TrainerSamples, WhatIsHeldOutIsNotInThePool) {
  TrainerOptions o = short_options();
  o.held_out = 2;
  Trainer t = trainer(without_begin(), o);
  EXPECT_TRUE(std::isnan(t.held_out_loss()));
  t.add({kText.data(), 4});  // too short to be held out
  t.add(kText);
  t.add(kText);
  t.add(kText);
  EXPECT_THAT(t.held_out(), ElementsAre(ElementsAre(11, 12, 13, 14, 15), ElementsAre(11, 12, 13, 14, 15)));
  EXPECT_EQ(t.pooled(), 4 + 7 + 7 + 12);
  EXPECT_NEAR(t.held_out_loss(), std::log(31.0), 1) << "that of no knowledge, about";
  Archive state;
  t.save(state);
  Trainer other = trainer(without_begin(), o, 9);
  other.load(state);
  EXPECT_EQ(other.held_out(), t.held_out());
  EXPECT_EQ(other.pooled(), t.pooled());
}

TEST(TrainerLoss, BeginsBehindThePrefix) {
  // A model that looks at nothing but the loss of its last target: the gradient of what the prefix predicts
  // is 0. Targets within the prefix are changed; held-out losses stay.
  TrainerOptions o = short_options();
  o.held_out = 1;
  ModelConfig c = without_begin();
  c.prefix = 2, c.context = 4;
  const auto loss = [&](const std::vector<std::int32_t>& text, const ModelConfig& config) {
    Trainer t = trainer(config, o);
    t.add(text);
    return t.held_out_loss();
  };
  // The loss by hand, from the logits of the network.
  Trainer t = trainer(c, o);
  t.add(kText);
  const torch::NoGradGuard no_grad;
  const at::Tensor logits =
      t.network().forward(torch::tensor(std::vector<std::int64_t>{11, 12, 13, 14}).unsqueeze(0))[0];
  double expected = 0;
  for (std::int64_t i = 2; i < 4; ++i)
    expected -= at::log_softmax(logits[i], 0)[kText[static_cast<std::size_t>(i) + 1]].item<double>() / 2;
  EXPECT_NEAR(t.held_out_loss(), expected, 1e-5);
  EXPECT_NE(loss(kText, c), loss(kText, without_begin()));
}

TEST(TrainerOptions, WhatCannotBeIsNamed) {
  TrainerOptions o = short_options();
  o.random_first = 1;
  EXPECT_THAT(refusal(small_config(), o), HasSubstr("would replace the begin token"));
  EXPECT_EQ(refusal(without_begin(), o), "no error");
  o.random_first = 5;
  EXPECT_THAT(refusal(without_begin(), o), HasSubstr("random_first is 5, expected at most 4"));
  o = short_options();
  o.fixed_token = 31;
  EXPECT_THAT(refusal(without_begin(), o), HasSubstr("not in the vocabulary of 31"));
  o.fixed_token = 3;
  EXPECT_THAT(refusal(small_config(), o), HasSubstr("where the begin token stands"));
  o.fixed_at = 5;
  EXPECT_THAT(refusal(without_begin(), o), HasSubstr("fixed_at is 5"));
  o.fixed_token = -1, o.fixed_at = 2;
  EXPECT_THAT(refusal(without_begin(), o), HasSubstr("there is no fixed_token"));
  ModelConfig c = without_begin();
  c.prefix = 4;
  EXPECT_THAT(refusal(c, short_options()), HasSubstr("leaves nothing of a context of 4"));
}

TEST(Trainer, TheLearningRateFallsOrStays) {
  for (const Schedule schedule : {Schedule::kCosine, Schedule::kFlat}) {
    TrainerOptions o = short_options();
    o.steps = 12, o.warmup = 2, o.learning_rate = 1e-2, o.schedule = schedule;
    Trainer t = trainer(small_config(), o);
    t.add(kText);
    std::vector<double> rates;
    while (!t.finished()) {
      rates.push_back(t.learning_rate());
      t.step();
    }
    EXPECT_DOUBLE_EQ(rates[0], 0.5e-2);
    EXPECT_DOUBLE_EQ(rates[1], 1e-2);
    EXPECT_DOUBLE_EQ(rates[2], 1e-2);
    for (std::size_t i = 2; i < rates.size(); ++i) {
      const double fallen = 0.1 + 0.45 * (1 + std::cos(M_PI * static_cast<double>(i - 2) / 10));
      EXPECT_DOUBLE_EQ(rates[i], 1e-2 * (schedule == Schedule::kFlat ? 1.0 : fallen)) << i;
    }
  }
}

TEST(Trainer, TheScheduleIsWhatUpdatesTake) {
  const auto trained = [](Schedule schedule, std::int64_t steps) {
    TrainerOptions o = short_options();
    o.steps = 6, o.warmup = 2, o.schedule = schedule;
    Trainer t = trainer(small_config(), o);
    t.add(kText);
    while (t.steps() < steps) t.step();
    return floats(t.model().weights.at("lm_head.weight"));
  };
  EXPECT_EQ(trained(Schedule::kCosine, 3), trained(Schedule::kFlat, 3))
      << "the third update is at the peak in both";
  EXPECT_NE(trained(Schedule::kCosine, 4), trained(Schedule::kFlat, 4));
}

}  // namespace
}  // namespace stream::llm
