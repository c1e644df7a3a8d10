/// Attention sinks: the metric, and what is left out of it.
#include <gmock/gmock.h>

#include <cmath>

#include "llm/attention_probe.hpp"
#include "llm/llm_probe.hpp"
#include "models.hpp"
#include "program/program.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::llm {
namespace {

using namespace testing;

std::shared_ptr<const Decoder> decoder(const ModelConfig& c, double key_bias = 0) {
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

TEST(Probe, MapsAreWhatIsJudged) {
  for (const Score score : {Score::kSoftmax, Score::kSigmoid}) {
    ModelConfig c = small_config();
    c.attention_bias = AttentionBias::kKey;
    c.score = score;
    AttentionProbe probe(decoder(c, 0.3));
    const auto tokens = random_tokens(16, 31);
    std::int64_t maps = 0;
    std::vector<std::vector<float>> seen(static_cast<std::size_t>(c.layers * c.heads));
    probe.add(tokens,
              [&](std::int64_t layer, std::int64_t head, std::int64_t n, std::span<const float> weights) {
                ++maps;
                ASSERT_EQ(n, 16);
                ASSERT_EQ(weights.size(), 16u * 17u) << "the keys and the bias slot";
                seen[static_cast<std::size_t>(layer * c.heads + head)].assign(weights.begin(), weights.end());
              });
    EXPECT_EQ(maps, c.layers * c.heads);
    for (std::int64_t l = 0; l < c.layers; ++l)
      for (std::int64_t h = 0; h < c.heads; ++h) {
        const auto& map = seen[static_cast<std::size_t>(l * c.heads + h)];
        double bias = 0;
        for (std::size_t t = 0; t < 16; ++t) {
          double sum = 0;
          for (std::size_t k = 0; k < 17; ++k) {
            sum += static_cast<double>(map[t * 17 + k]);
            if (k > t && k < 16) {
              EXPECT_LT(map[t * 17 + k], 1e-30f) << "a key that lies ahead";
            }
          }
          EXPECT_NEAR(sum, 1, 1e-5);
          bias += static_cast<double>(map[t * 17 + 16]) / 16;
        }
        const AttentionProbe::Head& head = probe.head(l, h);
        EXPECT_NEAR(head.bias_importance, bias, 1e-6);
        for (std::int64_t k = 0; k < kSinkPositions; ++k)
          EXPECT_NEAR(head.importance[static_cast<std::size_t>(k)], importance(map, 17, 16, k), 1e-9);
      }
  }
}

TEST(Probe, MapsOfTheFirstSequencesGoOut) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  ModelConfig c = small_config();
  c.position = Position::kNone, c.attention_bias = AttentionBias::kKey;
  write_language_model(path, random_model(c, 3));
  const auto probe = [&](const Object& more) {
    Object params{{"model", path}, {"length", 8}};
    for (const auto& [name, value] : more) params.set(name, value);
    return stream::testing::make<ProbeOperator>(params, Context{.node = "probe"});
  };
  std::vector<std::int32_t> ids(40, 5);
  const auto op = probe({{"maps", 2}, {"begin", false}});
  const auto out =
      stream::testing::run(*op, {Packet::of<Tensor>(Time{3}, Tensor::of(std::move(ids), {40}))}, 2);
  ASSERT_EQ(out.packets[1].size(), static_cast<std::size_t>(2 * c.layers * c.heads));
  const auto numbers = [](const Value& row) {
    std::vector<double> values;
    for (const Value& v : row.as_array()) values.push_back(v.as_double());
    return values;
  };
  std::size_t at = 0;
  for (std::int64_t sequence = 0; sequence < 2; ++sequence)
    for (std::int64_t layer = 0; layer < c.layers; ++layer)
      for (std::int64_t head = 0; head < c.heads; ++head) {
        const Object& map = out.packets[1][at++].as<Record>().object();
        EXPECT_EQ(map.find("sequence")->as_integer(), sequence);
        EXPECT_EQ(map.find("layer")->as_integer(), layer);
        EXPECT_EQ(map.find("head")->as_integer(), head);
        const Array& rows = map.find("attention")->as_array();
        const auto bias = numbers(*map.find("bias"));
        ASSERT_EQ(rows.size(), 8u);
        ASSERT_EQ(bias.size(), 8u);
        // Without positions a repeated token attends to all of itself alike, in the first layer: what the
        // bias takes differs from place to place, and the second one sees that.
        for (std::size_t t = 0; t < 8; ++t) {
          const auto row = numbers(rows[t]);
          ASSERT_EQ(row.size(), 8u);
          for (std::size_t k = 0; layer == 0 && k < 8; ++k)
            EXPECT_NEAR(row[k], k <= t ? (1 - bias[t]) / static_cast<double>(t + 1) : 0, 1e-6);
        }
      }
  EXPECT_TRUE(stream::testing::run(
                  *probe({{"begin", false}}),
                  {Packet::of<Tensor>(Time{3}, Tensor::of(std::vector<std::int32_t>(16, 5), {16}))}, 2)
                  .packets[1]
                  .empty());
  try {
    ModelConfig wide = c;
    wide.context = 100;
    write_language_model(path, random_model(wide, 3));
    probe({{"maps", 1}, {"length", 65}});
    FAIL() << "maps of 65 tokens were accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                ::testing::HasSubstr("maps of sequences of 65 tokens, expected a length of at most 64"));
  }
}

}  // namespace
}  // namespace stream::llm
