/// DuoAttention's gates: what is optimised, and what is not.
#include <gmock/gmock.h>

#include "llm/decoder.hpp"
#include "llm/identification.hpp"
#include "llm/pair_samples.hpp"
#include "models.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;

struct Batch {
  at::Tensor tokens, labelled;
};

Batch batch(std::int64_t size, std::int64_t length, std::uint64_t seed) {
  Random random(seed);
  Batch b{torch::empty({size, length}, at::kLong), torch::zeros({size, length}, at::kBool)};
  for (std::int64_t i = 0; i < size * length; ++i)
    b.tokens.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(31));
  for (std::int64_t i = 0; i < size; ++i) b.labelled[i][length - 1 - i].fill_(true);
  return b;
}

IdentificationOptions brief(Mix mix = Mix::kTeacher) {
  return {.steps = 40, .sinks = 1, .recent = 3, .regularisation = 0.05, .learning_rate = 0.05, .mix = mix};
}

/// Gates set from outside.
void set(Identification& identification, float value) {
  Archive state;
  identification.save(state);
  const at::Tensor gates = torch::full({4}, value);
  state.group("optimizer").set("weights", nn::snapshot(gates));
  identification.load(state);
}

TEST(Identification, RatesAreThoseOfTheReleasedSchedule) {
  const IdentificationOptions o;
  EXPECT_NEAR(identification_rate(0, o), 0.002, 1e-12);
  EXPECT_NEAR(identification_rate(199, o), 0.01, 1e-12);
  EXPECT_NEAR(identification_rate(399, o), 0.02, 1e-12);
  EXPECT_NEAR(identification_rate(1600, o), 0.02, 1e-12);
  EXPECT_NEAR(identification_rate(1800, o), 0.01, 1e-12);
  EXPECT_NEAR(identification_rate(1999, o), 0.002, 1e-12);
}

TEST(Identification, WithGatesOfOneTheModelIsUntouchedAndWithoutThemItStreams) {
  for (const Mix mix : {Mix::kTeacher, Mix::kSelf}) {
    const Batch b = batch(2, 20, 3);
    Identification whole(random_model(small_config(), 8, 2), brief(mix));
    EXPECT_NEAR(whole.step(b.tokens, b.labelled), 0.05, 1e-6) << "only the price of gates is left";
    Identification streaming(random_model(small_config(), 8, 2), brief(mix));
    set(streaming, 0);
    EXPECT_GT(streaming.step(b.tokens, b.labelled), 1e-3);
    // What sees everything loses nothing.
    IdentificationOptions wide = brief(mix);
    wide.recent = 20;
    Identification all(random_model(small_config(), 8, 2), wide);
    set(all, 0);
    EXPECT_NEAR(all.step(b.tokens, b.labelled), 0, 1e-9);
  }
}

TEST(Identification, TheStreamingCopyIsTheModelUnderTheMaskOfTheMemory) {
  // The hidden states of gates of zero against those of memory duo without a full head: the loss is their
  // distance.
  const LanguageModel model = random_model(small_config(), 8, 2);
  const auto decoder = std::make_shared<const Decoder>(model);
  const Batch b = batch(1, 20, 5);
  std::vector<std::int32_t> tokens;
  for (std::int64_t t = 0; t < 20; ++t)
    tokens.push_back(static_cast<std::int32_t>(b.tokens[0][t].item<std::int64_t>()));
  const auto last = [&](bool full) {
    DuoMemory memory(decoder->config(), decoder->rope(),
                     {std::vector<std::vector<bool>>(2, std::vector<bool>(2, full)), 1, 3, true});
    Workspace work = decoder->workspace();
    std::vector<float> x(tokens.size() * 24);
    decoder->embed(tokens, 0, x.data());
    decoder->run(x.data(), 20, memory, work);
    return std::vector<float>(x.end() - 24, x.end());
  };
  const auto full = last(true), streaming = last(false);
  double apart = 0;
  for (std::size_t i = 0; i < full.size(); ++i)
    apart += std::pow(static_cast<double>(full[i] - streaming[i]), 2) / 24;
  Identification identification(model, brief());
  set(identification, 0);
  EXPECT_NEAR(identification.step(b.tokens, b.labelled), apart, 1e-4 * apart);
}

TEST(Identification, OnlyGatesMoveOneForEachKeyAndValueHead) {
  const LanguageModel model = random_model(small_config(), 8, 2);
  Identification identification(model, brief());
  const std::string before = fingerprint(identification.model());
  for (std::uint64_t i = 0; !identification.finished(); ++i) {
    const Batch b = batch(2, 20, i);
    identification.step(b.tokens, b.labelled);
  }
  EXPECT_EQ(fingerprint(identification.model()), before);
  const HeadGates gates = identification.gates();
  ASSERT_EQ(gates.layers.size(), 2u);
  for (const auto& layer : gates.layers) {
    ASSERT_EQ(layer.size(), 2u) << "four query heads share two of keys";
    for (const double gate : layer) {
      EXPECT_GE(gate, 0);
      EXPECT_LE(gate, 1);
    }
  }
  // Where everything is seen anyway, every gate falls as fast as it may.
  IdentificationOptions wide = brief();
  wide.recent = 20;
  Identification idle(model, wide);
  for (std::uint64_t i = 0; !idle.finished(); ++i) {
    const Batch b = batch(2, 20, i);
    idle.step(b.tokens, b.labelled);
  }
  for (const auto& layer : idle.gates().layers)
    for (const double gate : layer) EXPECT_LT(gate, 0.05);
}

TEST(Identification, ResumedItGoesOnBitForBit) {
  const LanguageModel model = random_model(small_config(), 8, 2);
  Identification whole(model, brief()), first(model, brief()), second(model, brief());
  for (std::uint64_t i = 0; i < 30; ++i) {
    const Batch b = batch(2, 20, i);
    whole.step(b.tokens, b.labelled);
    if (i < 11) first.step(b.tokens, b.labelled);
    if (i == 10) {
      Archive state;
      first.save(state);
      second.load(state);
    }
    if (i > 10) second.step(b.tokens, b.labelled);
  }
  EXPECT_EQ(second.gates().layers, whole.gates().layers);
  EXPECT_EQ(second.loss(), whole.loss());
}

TEST(Identification, WhatCannotBeIsNamed) {
  ModelConfig alibi = small_config();
  alibi.position = Position::kAlibi;
  EXPECT_THROW(Identification(random_model(alibi, 8, 2), brief()), Error);
  IdentificationOptions none = brief();
  none.recent = 0;
  EXPECT_THROW(Identification(random_model(small_config(), 8, 2), none), Error);
  Identification identification(random_model(small_config(), 8, 2), brief());
  const Batch b = batch(1, 20, 1);
  EXPECT_THROW(identification.step(b.tokens, torch::zeros({1, 20}, at::kBool)), Error);
  const Batch longer = batch(1, 33, 1);
  EXPECT_THROW(identification.step(longer.tokens, longer.labelled), Error);
}

}  // namespace
}  // namespace stream::llm
