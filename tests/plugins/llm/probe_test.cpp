/// Attention sinks: the metric, and what is left out of it.
#include <gmock/gmock.h>

#include <cmath>

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

TEST(Probe, UnderSignedKernelsSharesAreThoseOfAbsoluteWeightsWhateverTheNormaliser) {
  const auto tokens = random_tokens(16, 31);
  for (const auto& [plain, normalised] : {std::pair(Score::kIdentityKernel, Score::kIdentityKernelNormalised),
                                          {Score::kMlpKernel, Score::kMlpKernelNormalised},
                                          {Score::kElu, Score::kEluNormalised},
                                          {Score::kEluKernel, Score::kEluKernelNormalised}}) {
    // One layer: what the normaliser does to the next layer's input is another matter.
    ModelConfig c = small_config();
    c.layers = 1, c.score = plain;
    AttentionProbe a(decoder(c));
    c.score = normalised;
    AttentionProbe b(decoder(c));
    a.add(tokens), b.add(tokens);
    for (std::int64_t h = 0; h < c.heads; ++h)
      for (std::size_t k = 0; k < 8; ++k) {
        EXPECT_GE(a.head(0, h).importance[k], 0);
        EXPECT_NEAR(a.head(0, h).importance[k], b.head(0, h).importance[k], 1e-5) << name_of(plain);
      }
  }
}

TEST(Probe, ByHandUnderAnIdentityKernel) {
  ModelConfig c = small_config();
  c.vocabulary = 31, c.layers = 1, c.hidden = 2, c.heads = c.kv_heads = 1, c.head_dim = 2, c.ffn = 2;
  c.position = Position::kNone, c.score = Score::kIdentityKernel;
  LanguageModel model = random_model(c, 3);
  const auto set = [&](const char* name, std::vector<float> values) {
    Tensor& tensor = model.weights.at(name);
    const std::vector<std::int64_t> shape(tensor.shape().begin(), tensor.shape().end());
    tensor = Tensor::of(std::move(values), shape);
  };
  // Token t is (cos t, sin t) times sqrt 2 behind the norm; keys are its first number, queries (1, 1).
  std::vector<float> embedding;
  for (int t = 0; t < 31; ++t)
    embedding.push_back(std::cos(static_cast<float>(t))),
        embedding.push_back(std::sin(static_cast<float>(t)));
  set("embed_tokens.weight", embedding);
  set("layers.0.input_layernorm.weight", {1, 1});
  set("layers.0.self_attn.q_proj.weight", {1, 0, 1, 0});
  set("layers.0.self_attn.k_proj.weight", {0, 1, 0, 1});
  AttentionProbe probe(std::make_shared<const Decoder>(model));
  std::vector<std::int32_t> tokens;
  for (int t = 1; t <= 8; ++t) tokens.push_back(t);
  probe.add(tokens);
  // sim(i, j) is cos(i) sin(j) times a constant: its share among |sim(i, .)| is |sin j| / sum |sin|.
  double expected = 0;
  for (int i = 1; i <= 8; ++i) {
    double sum = 0;
    for (int j = 1; j <= i; ++j) sum += std::abs(std::sin(static_cast<double>(j)));
    expected += std::abs(std::sin(1.0)) / sum / 8;
  }
  EXPECT_NEAR(probe.head(0, 0).importance[0], expected, 1e-4);
  // Queries (a, a) and keys (b, b): cosines are signs.
  double first = 0, others = 0;
  for (int i = 2; i <= 8; ++i) {
    const double query = std::cos(static_cast<double>(i)) > 0 ? 1 : -1;
    first += query * (std::sin(1.0) > 0 ? 1 : -1) / 7;
    double sum = 0;
    for (int j = 2; j <= i; ++j) sum += query * (std::sin(static_cast<double>(j)) > 0 ? 1 : -1);
    others += sum / (i - 1) / 7;
  }
  EXPECT_NEAR(probe.norms(0).cosine_first, first, 1e-5);
  EXPECT_NEAR(probe.norms(0).cosine_others, others, 1e-5);
  EXPECT_NEAR(probe.norms(0).key[2], std::abs(2 * std::sin(3.0)), 1e-3);
  EXPECT_NEAR(probe.norms(0).key_first, probe.norms(0).key[0], 1e-9);
}

TEST(Probe, SavedAndReadAgain) {
  AttentionProbe probe(decoder(small_config())), again(decoder(small_config()));
  probe.add(random_tokens(16, 31));
  Archive state;
  probe.save(state);
  again.load(state);
  EXPECT_EQ(again.norms(1).value, probe.norms(1).value);
  EXPECT_EQ(again.norms(0).cosine_others, probe.norms(0).cosine_others);
  EXPECT_EQ(again.head(1, 2).share, probe.head(1, 2).share);
  ModelConfig other = small_config();
  other.layers = 1;
  AttentionProbe small(decoder(other));
  EXPECT_THROW(small.load(state), Error);
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
