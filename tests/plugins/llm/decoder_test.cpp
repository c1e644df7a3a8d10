/// The decoder against a plain one in double precision, in every layout and weight type.
#include "llm/decoder.hpp"

#include <gmock/gmock.h>

#include "llm/memory_full.hpp"
#include "models.hpp"
#include "sequences.hpp"

namespace stream::llm {
namespace {

using namespace testing;

std::unique_ptr<Session> full(const LanguageModel& model, WeightType type = WeightType::kStored) {
  auto decoder = std::make_shared<const Decoder>(model, type);
  auto memory = std::make_unique<FullMemory>(decoder->config(), decoder->rope());
  return std::make_unique<Session>(decoder, std::move(memory));
}

struct Layout {
  const char* name;
  ModelConfig config;
};
std::vector<Layout> layouts() {
  std::vector<Layout> out{{"llama", small_config()}};
  ModelConfig c = small_config();
  c.qkv_bias = true, c.tied_embeddings = true, c.rope_base = 1e6;
  out.push_back({"qwen2", c});
  c = small_config();
  c.norm = Norm::kLayer, c.parallel_residual = true, c.rope_fraction = 0.34, c.gated = false;
  c.activation = Activation::kGelu, c.qkv_bias = c.output_bias = c.ffn_bias = true, c.kv_heads = 4;
  out.push_back({"gpt_neox", c});
  c = small_config();
  c.position = Position::kAlibi, c.activation = Activation::kGeluTanh, c.kv_heads = 1;
  out.push_back({"alibi", c});
  c = small_config();
  c.position = Position::kNone, c.activation = Activation::kRelu, c.score = Score::kSoftmaxOne;
  out.push_back({"no position, zero sink", c});
  c = small_config();
  c.attention_bias = AttentionBias::kKey;
  out.push_back({"key bias", c});
  c.attention_bias = AttentionBias::kKeyValue;
  out.push_back({"key and value bias", c});
  c = small_config();
  c.score = Score::kSigmoid, c.score_offset = 2;
  out.push_back({"sigmoid", c});
  c.score = Score::kSigmoidNormalised, c.score_offset = 0;
  out.push_back({"normalised sigmoid", c});
  c = small_config();
  c.head_dim = 32, c.hidden = 64, c.ffn = 96, c.vocabulary = 67;
  out.push_back({"whole vectors", c});
  return out;
}

TEST(Decoder, AgreesWithAPlainOneInEveryLayout) {
  for (const Layout& layout : layouts()) {
    const LanguageModel model = random_model(layout.config, 3);
    const auto tokens = random_tokens(40, layout.config.vocabulary);
    const Rows expected = plain::Decoder(model).dense(tokens);
    for (const std::size_t block : {std::size_t{1}, std::size_t{7}, std::size_t{40}})
      EXPECT_LT(difference(run(*full(model), tokens, block), expected), 2e-5)
          << layout.name << ", block " << block;
  }
}

TEST(Decoder, SlidingWindowOfMistral) {
  ModelConfig c = small_config();
  c.sliding_window = 9;
  const LanguageModel model = random_model(c, 4);
  const auto tokens = random_tokens(40, c.vocabulary);
  const Rows expected = plain::Decoder(model).logits(tokens, [](std::int64_t t) {
    View view{{}, t};
    for (std::int64_t s = std::max<std::int64_t>(0, t - 8); s <= t; ++s) view.seen.push_back({s, s});
    return view;
  });
  for (const std::size_t block : {std::size_t{1}, std::size_t{7}, std::size_t{40}})
    EXPECT_LT(difference(run(*full(model), tokens, block), expected), 2e-5) << block;
}

TEST(Decoder, LongBlocksAreTiled) {
  ModelConfig c = small_config();
  c.layers = 1;
  const LanguageModel model = random_model(c, 5);
  const auto tokens = random_tokens(2000, c.vocabulary);
  auto decoder = std::make_shared<const Decoder>(model);
  const auto whole = [&](std::int64_t block) {
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()), block);
    return run(session, tokens, tokens.size());
  };
  EXPECT_LT(difference(whole(2000), whole(100)), 2e-5);
}

TEST(Decoder, NarrowWeightsAreThoseOfTheirRoundedModel) {
  ModelConfig c = small_config();
  c.hidden = 48, c.ffn = 33;  // no whole groups
  LanguageModel model = random_model(c, 6);
  const auto tokens = random_tokens(20, c.vocabulary);
  for (const auto& [type, stored] :
       {std::pair(WeightType::kBFloat16, DType::kBF16), std::pair(WeightType::kFloat16, DType::kF16)}) {
    LanguageModel rounded = model;
    for (auto& [name, tensor] : rounded.weights)
      if (tensor.shape().size() == 2) tensor = converted(converted(tensor, stored), DType::kF32);
    for (const std::size_t block : {std::size_t{1}, std::size_t{20}})
      EXPECT_LT(difference(run(*full(model, type), tokens, block), run(*full(rounded), tokens, block)), 1e-5);
  }
  const auto exact = run(*full(model), tokens, 1), bytes = run(*full(model, WeightType::kInt8), tokens, 1);
  EXPECT_LT(difference(bytes, exact), 0.3);
  EXPECT_GT(difference(bytes, exact), 1e-4);
  EXPECT_LT(difference(bytes, run(*full(model, WeightType::kInt8), tokens, 20)), 2e-5);
}

TEST(Decoder, EightBitWeightsArePartedIntoTheRowsThatAreEmbedded) {
  constexpr std::int64_t kOut = 37, kIn = 75;
  const std::vector<float> w = [] {
    std::vector<float> out;
    Random random(11);
    for (std::int64_t i = 0; i < kOut * kIn; ++i) out.push_back(static_cast<float>(random.normal()));
    return out;
  }();
  const Matrix matrix(Tensor::of(w, {kOut, kIn}), nullptr, WeightType::kInt8,
                      std::make_shared<WeightMemory>());
  Matrix::Scratch scratch;
  std::vector<float> row(kIn), unit(kIn), y(kOut);
  for (std::int64_t c = 0; c < kIn; ++c) {
    std::fill(unit.begin(), unit.end(), 0.0f);
    unit[static_cast<std::size_t>(c)] = 1;
    matrix.apply(unit.data(), y.data(), 1, scratch);
    for (std::int64_t r = 0; r < kOut; ++r) {
      matrix.row(r, row.data());
      EXPECT_NEAR(row[static_cast<std::size_t>(c)], y[static_cast<std::size_t>(r)], 1e-6);
      // 254 steps across the greatest of 32 normal numbers, and float16's rounding of the scale upwards.
      EXPECT_NEAR(row[static_cast<std::size_t>(c)], w[static_cast<std::size_t>(r * kIn + c)],
                  0.5 * 4.5 / 127);
    }
  }
  EXPECT_THROW(Matrix(Tensor::of(std::vector<float>(4, 1e8f), {2, 2}), nullptr, WeightType::kInt8,
                      std::make_shared<WeightMemory>()),
               Error);
}

TEST(Decoder, SavedAndResumedAnywhere) {
  const LanguageModel model = random_model(small_config(), 8);
  const auto tokens = random_tokens(30, 31);
  const auto whole = full(model);
  const Logits expected = run(*whole, tokens, 1);
  for (std::size_t stop = 0; stop <= tokens.size(); ++stop) {
    const auto first = full(model), second = full(model);
    for (std::size_t t = 0; t < stop; ++t) first->step(tokens[t]);
    Archive state;
    first->save(state);
    second->load(state);
    for (std::size_t t = stop; t < tokens.size(); ++t) second->step(tokens[t]);
    EXPECT_TRUE(std::ranges::equal(second->logits(), expected.back())) << stop;
  }
  const auto other = full(random_model(small_config(), 9));
  Archive state;
  whole->save(state);
  EXPECT_THROW(other->load(state), Error);
}

TEST(Decoder, RopeScalings) {
  ModelConfig c = small_config();
  c.head_dim = 64;
  c.rope_scaling = RopeScaling::kLinear, c.rope_factor = 4;
  const Rope plain(small_config()), linear(c);
  EXPECT_DOUBLE_EQ(linear.frequencies()[0], 0.25);
  c.rope_scaling = RopeScaling::kLlama3, c.rope_factor = 8, c.rope_original_context = 8192,
  c.rope_base = 500000;
  const Rope scaled(c);
  c.rope_scaling = RopeScaling::kNone;
  const Rope unscaled(c);
  EXPECT_DOUBLE_EQ(scaled.frequencies().front(), unscaled.frequencies().front());
  EXPECT_DOUBLE_EQ(scaled.frequencies().back() * 8, unscaled.frequencies().back());
  for (std::size_t i = 1; i < 32; ++i) EXPECT_LT(scaled.frequencies()[i], scaled.frequencies()[i - 1]);
}

}  // namespace
}  // namespace stream::llm
