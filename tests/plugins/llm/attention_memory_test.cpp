/// H2O and TOVA against their rules written down anew, on the probabilities that the decoder really used, and
/// against a plain decoder that sees what they say they keep.
#include "llm/memory_attention.hpp"

#include <gtest/gtest.h>

#include <map>

#include "models.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;

using Rule = AttentionMemory::Rule;
using Kept = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>>;  // by layer and head

std::unique_ptr<Session> session_of(const LanguageModel& model, AttentionMemory::Options options) {
  auto decoder = std::make_shared<const Decoder>(model);
  return std::make_unique<Session>(
      decoder, std::make_unique<AttentionMemory>(decoder->config(), decoder->rope(), options));
}

Kept kept_by(const Session& session) {
  const auto& memory = dynamic_cast<const AttentionMemory&>(session.memory());
  const ModelConfig& c = session.decoder().config();
  Kept out;
  for (std::int64_t l = 0; l < c.layers; ++l)
    for (std::int64_t h = 0; h < c.kv_heads; ++h) out[{l, h}] = memory.tokens(l, h);
  return out;
}

class AttentionMemories : public ::testing::TestWithParam<Rule> {};
INSTANTIATE_TEST_SUITE_P(Rules, AttentionMemories, ::testing::Values(Rule::kH2o, Rule::kTova));

TEST_P(AttentionMemories, KeepWhatTheirRuleSays) {
  const ModelConfig c = small_config();
  const LanguageModel model = random_model(c, 12);
  const auto tokens = random_tokens(60, c.vocabulary);
  const bool h2o = GetParam() == Rule::kH2o;
  const AttentionMemory::Options options{GetParam(), h2o ? 5 : 9, h2o ? 4 : 0};
  const auto session = session_of(model, options);
  const std::int64_t group = c.heads / c.kv_heads;
  // Attention that each token has received, by layer, kv head and token.
  std::map<std::array<std::int64_t, 3>, double> received;
  Kept seen, before;
  std::vector<Kept> past;
  session->workspace().attention.tap(
      [&](std::int64_t layer, std::int64_t head, std::int64_t rows, std::span<const float> p) {
        ASSERT_EQ(rows, 1);
        const auto& slots = seen[{layer, head / group}];
        ASSERT_EQ(p.size(), slots.size());
        for (std::size_t s = 0; s < slots.size(); ++s)
          received[{layer, head / group, slots[s]}] += static_cast<double>(p[s]);
      });
  Logits logits;
  for (std::int64_t t = 0; t < static_cast<std::int64_t>(tokens.size()); ++t) {
    seen = kept_by(*session);
    for (auto& [where, slots] : seen) slots.push_back(t);
    past.push_back(seen);
    if (!h2o) received.clear();
    session->step(tokens[static_cast<std::size_t>(t)]);
    logits.emplace_back(session->logits().begin(), session->logits().end());
    Kept expected = seen;
    if (t >= 9)
      for (auto& entry : expected) {
        const auto& where = entry.first;
        auto& slots = entry.second;
        std::size_t least = 0;
        const auto score = [&](std::size_t s) {
          if (h2o) return received.at({where.first, where.second, slots[s]});
          double sum = 0;
          for (std::int64_t h = 0; h < c.kv_heads; ++h) sum += received.at({where.first, h, slots[s]});
          return sum;
        };
        const std::size_t safe = h2o ? 4 : 0;
        for (std::size_t s = 1; s < slots.size() - safe; ++s)
          if (score(s) < score(least)) least = s;
        slots.erase(slots.begin() + static_cast<std::ptrdiff_t>(least));
      }
    EXPECT_EQ(kept_by(*session), expected) << "behind token " << t;
    EXPECT_EQ(session->memory().stored_tokens(0, 0), std::min<std::int64_t>(t + 1, 9));
    EXPECT_EQ(session->memory().resident_bytes(),
              static_cast<std::size_t>(2 * c.layers * c.kv_heads * std::min<std::int64_t>(t + 1, 9) *
                                       c.head_dim * 4));
  }
  // Some head keeps what is not recent, and heads differ (H2O) or do not (TOVA).
  const Kept last = kept_by(*session);
  bool old = false, differ = false;
  for (const auto& [where, slots] : last) {
    old = old || slots.front() < 40;
    differ = differ || slots != last.at({where.first, 0});
  }
  EXPECT_TRUE(old);
  EXPECT_EQ(differ, h2o);
  const Rows expected = plain::Decoder(model).logits_by_head(
      tokens, [&](std::int64_t t, std::int64_t layer, std::int64_t head) {
        View view{{}, t};
        for (const std::int64_t s : past[static_cast<std::size_t>(t)].at({layer, head}))
          view.seen.push_back({s, s});
        return view;
      });
  EXPECT_LT(difference(logits, expected), 2e-5);
}

TEST_P(AttentionMemories, BlocksFillTheCacheAndAStateResumesAnywhere) {
  const ModelConfig c = small_config();
  const LanguageModel model = random_model(c, 13);
  const auto tokens = random_tokens(40, c.vocabulary);
  const bool h2o = GetParam() == Rule::kH2o;
  const AttentionMemory::Options options{GetParam(), h2o ? 6 : 12, h2o ? 6 : 0};
  const auto whole = session_of(model, options);
  const Logits one_by_one = run(*whole, tokens, 1);
  EXPECT_LT(difference(run(*session_of(model, options), tokens, 40), one_by_one), 2e-5);
  for (const std::size_t stop : {std::size_t{0}, std::size_t{5}, std::size_t{12}, std::size_t{30}}) {
    const auto first = session_of(model, options), second = session_of(model, options);
    for (std::size_t t = 0; t < stop; ++t) first->step(tokens[t]);
    Archive state;
    first->save(state);
    second->load(state);
    for (std::size_t t = stop; t < tokens.size(); ++t) second->step(tokens[t]);
    EXPECT_TRUE(std::ranges::equal(second->logits(), one_by_one.back())) << stop;
  }
  Archive state;
  whole->save(state);
  auto other = options;
  other.heavy += 1;
  EXPECT_THROW(session_of(model, other)->load(state), Error);
}

TEST(AttentionMemory, H2oWithNothingHeavyIsAWindowAtTruePositions) {
  const ModelConfig c = small_config();
  const LanguageModel model = random_model(c, 14);
  const auto tokens = random_tokens(40, c.vocabulary);
  const Rows expected = plain::Decoder(model).logits(tokens, [](std::int64_t t) {
    View view{{}, t};
    for (std::int64_t s = std::max<std::int64_t>(0, t - 7); s <= t; ++s) view.seen.push_back({s, s});
    return view;
  });
  EXPECT_LT(difference(run(*session_of(model, {Rule::kH2o, 0, 7}), tokens, 1), expected), 2e-5);
}

TEST(AttentionMemory, SizesThatCannotBe) {
  const LanguageModel model = random_model(small_config(), 15);
  EXPECT_THROW(session_of(model, {Rule::kH2o, 0, 0}), Error);
  EXPECT_THROW(session_of(model, {Rule::kTova, 4, 2}), Error);
  EXPECT_THROW(session_of(model, {Rule::kH2o, 1 << 20, 0}), Error);
  ModelConfig c = small_config();
  c.position = Position::kAlibi;
  EXPECT_THROW(session_of(random_model(c, 15), {Rule::kH2o, 4, 4}), Error);
}

TEST(AttentionMemory, AModelWithAWindowIsRefusedByName) {
  ModelConfig c = small_config();
  c.sliding_window = 6;
  const LanguageModel model = random_model(c, 15);
  for (const Rule rule : {Rule::kH2o, Rule::kTova}) {
    try {
      session_of(model, {rule, 4, rule == Rule::kH2o ? 2 : 0});
      FAIL() << "accepted";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(rule == Rule::kH2o ? "memory h2o keeps" : "memory tova keeps"),
                std::string::npos);
      EXPECT_NE(std::string(e.what()).find("sliding window of 6"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace stream::llm
