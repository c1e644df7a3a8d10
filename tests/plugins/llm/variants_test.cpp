/// The switches of a model: what each computes, what is written of it, and what cannot be.
#include "variants.hpp"

#include <gmock/gmock.h>

#include "hdf5/archive_file.hpp"
#include "llm/llm_score.hpp"
#include "llm/memory_attention.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_sink.hpp"
#include "llm/positions.hpp"
#include "program/program.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

Session full_session(const LanguageModel& model, std::int64_t block = 256) {
  const auto decoder = std::make_shared<const Decoder>(model);
  return {decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()), block};
}

TEST(Variants, TheDecoderAgreesWithAPlainOne) {
  for (const Variant& v : variants()) {
    const LanguageModel model = random_model(v.config, 3);
    const auto tokens = random_tokens(30, v.config.vocabulary);
    const Rows expected = plain::Decoder(model).dense(tokens);
    for (const std::size_t block : {std::size_t{1}, std::size_t{7}, std::size_t{30}}) {
      Session session = full_session(model);
      EXPECT_LT(difference(run(session, tokens, block), expected), 3e-5) << v.name << ", block " << block;
    }
  }
}

TEST(Variants, EachMakesADifference) {
  const auto tokens = random_tokens(30, 31);
  std::vector<Rows> seen;
  std::vector<std::string> names;
  for (const Variant& v : variants()) {
    Rows rows = plain::Decoder(random_model(v.config, 3)).dense(tokens);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const bool same = names[i] == "position rope" && (v.name == "swiglu" || v.name == "softmax");
      const bool twins = (names[i] == "swiglu" && v.name == "softmax") ||
                         v.name == "softmax, bias " + names[i].substr(0, names[i].find(" bias")) ||
                         names[i] == "softmax, bias " + v.name.substr(0, v.name.find(" bias"));
      if (!same && !twins) {
        EXPECT_GT(difference(rows, seen[i]), 1e-3) << v.name << " and " << names[i];
      }
    }
    seen.push_back(std::move(rows));
    names.push_back(v.name);
  }
}

TEST(Variants, AreWrittenAndRead) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  for (const Variant& v : variants()) {
    const LanguageModel model = random_model(v.config, 3);
    write_language_model(path, model);
    EXPECT_EQ(fingerprint(read_language_model(path)), fingerprint(model)) << v.name;
  }
  ModelConfig prefix = small_config();
  prefix.prefix = 4;
  write_language_model(path, random_model(prefix, 3));
  EXPECT_EQ(read_language_model(path).config.prefix, 4);
}

TEST(Variants, AModelWithoutThemIsWrittenAsItAlwaysWas) {
  Archive group;
  small_config().save(group);
  for (const char* name : {"norm_place", "prefix", "bias_shared", "bias_value", "bias_scale"})
    EXPECT_FALSE(group.has(name)) << name;
  EXPECT_EQ(ModelConfig::load(group).norm_place, NormPlace::kPre);
}

TEST(Variants, SequencesGoOnWhereTheyStopped) {
  for (const Variant& v : variants()) {
    const LanguageModel model = random_model(v.config, 8);
    const auto tokens = random_tokens(20, 31);
    Session whole = full_session(model);
    const Logits expected = run(whole, tokens, 1);
    for (const std::size_t stop : {std::size_t{1}, std::size_t{9}, std::size_t{19}}) {
      Session first = full_session(model), second = full_session(model);
      for (std::size_t t = 0; t < stop; ++t) first.step(tokens[t]);
      Archive state;
      first.save(state);
      second.load(state);
      for (std::size_t t = stop; t < tokens.size(); ++t) second.step(tokens[t]);
      EXPECT_TRUE(std::ranges::equal(second.logits(), expected.back())) << v.name << ' ' << stop;
    }
  }
}

TEST(Variants, AWindowWithSinksServesThem) {
  const auto tokens = random_tokens(32, 31);
  for (const Variant& v : variants()) {
    if (v.config.position == Position::kLearned || v.config.position == Position::kSinusoidal ||
        v.config.sliding_window > 0)
      continue;
    const LanguageModel model = random_model(v.config, 5);
    const auto decoder = std::make_shared<const Decoder>(model);
    const Rows expected = plain::Decoder(model).logits(
        tokens, [](std::int64_t t) { return plain::window_with_sinks(t, 2, 9); });
    for (const SinkMemory::Keys keys : {SinkMemory::Keys::kTurned, SinkMemory::Keys::kRaw})
      for (const std::size_t block : {std::size_t{1}, std::size_t{5}}) {
        Session session(decoder, std::make_unique<SinkMemory>(decoder->config(), decoder->rope(),
                                                              SinkMemory::Options{2, 9, keys}));
        EXPECT_LT(difference(run(session, tokens, block), expected), 5e-5) << v.name << ", block " << block;
      }
  }
}

TEST(Variants, InAPrefixLaterTokensAreSeen) {
  ModelConfig c = small_config();
  c.prefix = 6;
  const LanguageModel model = random_model(c, 5);
  const auto tokens = random_tokens(20, 31);
  Session session = full_session(model);
  const Logits found = run(session, tokens, 20);
  EXPECT_LT(difference(found, plain::Decoder(model).dense(tokens)), 3e-5);
  const auto changed_at = [&](std::size_t at) {
    auto other = tokens;
    other[at] = other[at] == 7 ? 8 : 7;
    Session anew = full_session(model);
    const Logits rows = run(anew, other, 20);
    std::vector<bool> out;
    for (std::size_t t = 0; t < rows.size(); ++t) out.push_back(rows[t] != found[t]);
    return out;
  };
  const std::vector<bool> last = changed_at(5), behind = changed_at(6);
  for (std::size_t t = 0; t < 20; ++t) {
    EXPECT_TRUE(last[t]) << t;
    EXPECT_EQ(behind[t], t >= 6) << t;
  }
  Session parts = full_session(model);
  EXPECT_THAT(message_of([&] { run(parts, tokens, 5); }), HasSubstr("first 6 tokens see each other"));
}

TEST(Positions, SlopesOfAlibiArePowers) {
  EXPECT_THAT(alibi_slopes(8),
              ElementsAre(0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.015625f, 0.0078125f, 0.00390625f));
  const float root = std::sqrt(0.5f);
  // Six heads: the four of 2^-2, and the first and third of eight.
  EXPECT_THAT(alibi_slopes(6), ElementsAre(0.25f, 0.0625f, 0.015625f, 0.00390625f, 0.5f, 0.125f));
  EXPECT_NEAR(alibi_slopes(16)[0], root, 1e-7);
}

TEST(Positions, BucketsAreThoseOfT5) {
  for (std::int64_t d = 0; d < 16; ++d) EXPECT_EQ(relative_bucket(d), d);
  // 16 + floor(16 ln(d / 16) / ln 8), worked out by hand.
  for (const auto& [distance, bucket] : std::vector<std::pair<std::int64_t, std::int64_t>>{{16, 16},
                                                                                           {18, 16},
                                                                                           {19, 17},
                                                                                           {20, 17},
                                                                                           {23, 18},
                                                                                           {32, 21},
                                                                                           {50, 24},
                                                                                           {64, 26},
                                                                                           {100, 30},
                                                                                           {113, 31},
                                                                                           {127, 31},
                                                                                           {128, 31},
                                                                                           {100'000, 31},
                                                                                           {-3, 0}})
    EXPECT_EQ(relative_bucket(distance), bucket) << distance;
}

TEST(Positions, SinusoidsBeginWithSinesAndEndWithCosines) {
  std::vector<float> x(4, 1.0f);
  add_sinusoid(3, x.data(), 4);
  EXPECT_NEAR(x[0], 1 + std::sin(3.0), 1e-6);
  EXPECT_NEAR(x[1], 1 + std::sin(0.03), 1e-6);
  EXPECT_NEAR(x[2], 1 + std::cos(3.0), 1e-6);
  EXPECT_NEAR(x[3], 1 + std::cos(0.03), 1e-6);
}

TEST(Kinds, AWrongNameIsAnsweredWithTheNearest) {
  EXPECT_THAT(message_of([] { position_named("rope2"); }), HasSubstr("'rope'"));
  EXPECT_THAT(message_of([] { position_named("alibbi"); }), HasSubstr("'alibi'"));
  EXPECT_THAT(message_of([] { score_named("mlp_kernle"); }), HasSubstr("'mlp_kernel'"));
  EXPECT_THAT(message_of([] { feed_forward_named("swigloo"); }), HasSubstr("'swiglu'"));
  EXPECT_THAT(message_of([] { norm_place_named("pots"); }), HasSubstr("'post'"));
  EXPECT_THAT(message_of([] { attention_bias_named("values"); }), HasSubstr("'value'"));
  EXPECT_THAT(message_of([] { bias_value_named("frist"); }), HasSubstr("'first'"));
  for (const std::string& name : score_names()) EXPECT_EQ(name_of(score_named(name)), name);
}

TEST(Kinds, WhatMakesNoSenseTogetherIsRefused) {
  const auto fault = [](const std::function<void(ModelConfig&)>& change) {
    ModelConfig c = small_config();
    change(c);
    return c.fault();
  };
  EXPECT_EQ(fault([](ModelConfig&) {}), "");
  for (const Variant& v : variants()) EXPECT_EQ(v.config.fault(), "") << v.name;
  EXPECT_THAT(fault([](ModelConfig& c) { c.position = Position::kAlibi, c.score = Score::kEluKernel; }),
              HasSubstr("position alibi is added to scores, and elu_kernel has none"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.position = Position::kRelative, c.score = Score::kMlpKernel; }),
              HasSubstr("position relative"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.prefix = 3, c.sliding_window = 5; }), HasSubstr("window of 5"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.prefix = 3, c.position = Position::kAlibi; }),
              HasSubstr("keys lie ahead"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.prefix = 32; }), HasSubstr("leaves nothing"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.bias_shared = true; }), HasSubstr("bias_shared"));
  EXPECT_THAT(fault([](ModelConfig& c) {
                c.attention_bias = AttentionBias::kKeyValue, c.bias_value = BiasValue::kFirst;
              }),
              HasSubstr("fixed value 'first'"));
  EXPECT_THAT(fault([](ModelConfig& c) { c.norm_place = NormPlace::kPost, c.parallel_residual = true; }),
              HasSubstr("exclude each other"));
}

TEST(Kinds, MemoriesThatCannotServeAModelSaySo) {
  ModelConfig c = small_config();
  c.position = Position::kRelative;
  const Rope rope(c);
  EXPECT_THAT(
      message_of([&] { AttentionMemory(c, rope, {.rule = AttentionMemory::Rule::kTova, .heavy = 9}); }),
      HasSubstr("position relative"));
}

/// What llm.score says to a model and a memory.
std::string scored_with(const ModelConfig& config, const Object& more) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  write_language_model(path, random_model(config, 3));
  Object params{{"model", path}};
  for (const auto& [name, value] : more) params.set(name, value);
  return message_of([&] { stream::testing::make<ScoreOperator>(params, Context{.node = "score"}); });
}

TEST(Kinds, AStreamThatAModelCannotBeServedIsRefusedByName) {
  ModelConfig c = small_config();
  c.prefix = 4;
  EXPECT_THAT(scored_with(c, {{"memory", "full"}}), HasSubstr("prefix language model (prefix = 4)"));
  c = small_config();
  c.score = Score::kMlpKernel;
  for (const char* memory : {"h2o", "tova", "inf"})
    EXPECT_THAT(scored_with(c, {{"memory", memory}}), HasSubstr("score mlp_kernel")) << memory;
  c.score = Score::kEluKernel;
  EXPECT_THAT(scored_with(c, {{"memory", "inf"}}), HasSubstr("where in the stream a token stands"));
  EXPECT_EQ(scored_with(c, {{"memory", "sink"}, {"recent", 20}}), "no error");
  c = small_config();
  c.sliding_window = 6;
  EXPECT_EQ(scored_with(c, {{"memory", "sink"}}), "no error");
  EXPECT_EQ(scored_with(c, {{"memory", "sink"}, {"recent", 5}}), "no error");
  // What nothing was said about lies within the window; more than that is refused.
  for (const char* memory : {"full", "window", "recompute", "sir", "inf"})
    EXPECT_EQ(scored_with(c, {{"memory", memory}}), "no error") << memory;
  EXPECT_THAT(scored_with(c, {{"memory", "inf"}, {"recent", 7}}), HasSubstr("sliding window of 6"));
  EXPECT_THAT(scored_with(c, {{"memory", "sir"}, {"surprising", 3}}), HasSubstr("memory sir of 7 tokens"));
  for (const char* memory : {"h2o", "tova"})
    EXPECT_THAT(scored_with(c, {{"memory", memory}}), HasSubstr("sliding window of 6")) << memory;
}

}  // namespace
}  // namespace stream::llm
