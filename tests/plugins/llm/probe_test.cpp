/// Attention sinks: the metric, and what is left out of it.
#include <gmock/gmock.h>

#include "llm/attention_probe.hpp"
#include "models.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;

std::shared_ptr<const Decoder> decoder(ModelConfig c, double key_bias = 0) {
  LanguageModel model = random_model(c, 12, 2);
  for (auto& [name, tensor] : model.weights)
    if (name.ends_with("key_bias")) {
      std::vector<float> values(static_cast<std::size_t>(c.kv_width()), static_cast<float>(key_bias));
      tensor = Tensor::of(std::move(values), {c.kv_heads, c.head_dim});
    }
  return std::make_shared<const Decoder>(model);
}

TEST(Probe, ImportanceIsTheMeanOverTheQueriesThatSeeAPosition) {
  // Rows of three slots, the last of which belongs to no token.
  const std::vector<float> a{0.75f, 0, 0.25f, 0.5f, 0.25f, 0.25f};
  EXPECT_DOUBLE_EQ(importance(a, 3, 2, 0), 0.625);
  EXPECT_DOUBLE_EQ(importance(a, 3, 2, 1), 0.25);
}

TEST(Probe, WithoutPositionsARepeatedTokenHasNoSinkButTheHarmonicMean) {
  ModelConfig c = small_config();
  c.position = Position::kNone;
  const double first = [] {
    double sum = 0;
    for (int t = 1; t <= 16; ++t) sum += 1.0 / t;
    return sum / 16;
  }();
  for (const double threshold : {first - 1e-3, first + 1e-3}) {
    AttentionProbe probe(decoder(c), threshold);
    probe.add(std::vector<std::int32_t>(16, 5));
    probe.add(std::vector<std::int32_t>(16, 9));
    EXPECT_EQ(probe.sequences(), 2);
    EXPECT_EQ(probe.sink(0), threshold < first ? 100 : 0);
    EXPECT_EQ(probe.sink(3), 0);
    EXPECT_NEAR(probe.head(1, 3).importance[0], first, 1e-6);
    EXPECT_NEAR(probe.norms(1).hidden_first, probe.norms(1).hidden_others, 1e-4) << "all positions are alike";
  }
}

TEST(Probe, UnderSigmoidsRowsAreDividedByTheirSums) {
  ModelConfig c = small_config();
  c.position = Position::kNone;
  c.score = Score::kSigmoid;
  AttentionProbe probe(decoder(c));
  probe.add(std::vector<std::int32_t>(16, 5));
  double expected = 0;
  for (int t = 8; t <= 16; ++t) expected += 1.0 / t / 9;
  EXPECT_NEAR(probe.head(0, 0).importance[7], expected, 1e-6);
}

TEST(Probe, TheBiasSlotCountsForEveryQueryAndNoTokenHasItsShare) {
  ModelConfig c = small_config();
  c.position = Position::kNone;
  c.attention_bias = AttentionBias::kKey;
  // A key of zero scores 0, as the zero sink does.
  AttentionProbe with(decoder(c));
  ModelConfig one = small_config();
  one.position = Position::kNone;
  one.score = Score::kSoftmaxOne;
  AttentionProbe zero(decoder(one));
  const auto tokens = random_tokens(16, 31);
  with.add(tokens);
  zero.add(tokens);
  EXPECT_GT(with.head(0, 1).bias_importance, 0.02);
  EXPECT_NEAR(with.head(0, 1).bias_importance, zero.head(0, 1).bias_importance, 1e-5);
  EXPECT_NEAR(with.head(0, 1).importance[0], zero.head(0, 1).importance[0], 1e-5);
  AttentionProbe none(decoder(small_config()));
  none.add(tokens);
  EXPECT_EQ(none.sink_bias(), 0);
  EXPECT_EQ(none.head(0, 1).bias_importance, 0);
}

TEST(Probe, SequencesThatCannotBeProbedAreRefused) {
  AttentionProbe probe(decoder(small_config()));
  EXPECT_THROW(probe.add(std::vector<std::int32_t>(7, 1)), Error);
  EXPECT_THROW(probe.add(std::vector<std::int32_t>(33, 1)), Error);
}

}  // namespace
}  // namespace stream::llm
