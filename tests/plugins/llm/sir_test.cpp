/// SirLLM's memory: what it keeps, and what the card calls cheating.
#include <gmock/gmock.h>

#include <set>

#include "llm/memory_sink.hpp"
#include "llm/memory_sir.hpp"
#include "models.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;

struct Fixture {
  Fixture() : model(random_model(small_config(), 21, 2)), decoder(std::make_shared<const Decoder>(model)) {}
  Session session(SirMemory::Options options) const {
    return Session(decoder, std::make_unique<SirMemory>(decoder->config(), decoder->rope(), options));
  }
  LanguageModel model;
  std::shared_ptr<const Decoder> decoder;
};

SirMemory& sir(Session& s) { return dynamic_cast<SirMemory&>(s.memory()); }

void turn(Session& s, const std::vector<std::int32_t>& tokens, std::int64_t coming) {
  s.memory().reserve(coming);
  s.feed(tokens);
  s.memory().end_of_turn();
}

/// Step 2 of the card, written down another way: a set, grown in the order of the text.
std::vector<std::int64_t> brute_force(const std::vector<float>& e, std::int64_t sinks, std::int64_t most,
                                      std::int64_t room) {
  std::set<std::int64_t> kept;
  const auto n = static_cast<std::int64_t>(e.size());
  while (static_cast<std::int64_t>(kept.size()) < std::min(n, std::max<std::int64_t>(0, most))) {
    std::int64_t best = -1;
    for (std::int64_t i = 0; i < n; ++i)
      if (!kept.contains(i) &&
          (best < 0 || e[static_cast<std::size_t>(i)] > e[static_cast<std::size_t>(best)]))
        best = i;
    kept.insert(best);
  }
  for (std::int64_t i = 0; i < std::min(n, sinks); ++i) kept.insert(i);
  for (std::int64_t i = n - 1; i >= 1 && static_cast<std::int64_t>(kept.size()) < room; --i) kept.insert(i);
  return {kept.begin(), kept.end()};
}

TEST(Sir, KeepsWhatTheRuleSays) {
  Random random(3);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<float> e(1 + random.below(30));
    for (float& v : e) v = static_cast<float>(random.below(5));  // many ties
    const auto sinks = static_cast<std::int64_t>(random.below(4)),
               most = static_cast<std::int64_t>(random.below(20)) - 3,
               room = static_cast<std::int64_t>(random.below(25));
    EXPECT_EQ(most_surprising(e, sinks, most, room), brute_force(e, sinks, most, room));
  }
}

TEST(Sir, SurprisalsStayInStepWithTokens) {
  const Fixture f;
  Session s = f.session({.sinks = 2, .entropy = 14, .recent = 2, .decay = 0.9, .first_max = false});
  std::vector<float> truth;
  Random random(5);
  std::vector<std::int32_t> all;
  std::vector<std::int64_t> turn_of;
  for (std::int64_t t = 0; t < 12; ++t) {
    std::vector<std::int32_t> tokens;
    for (std::uint64_t i = 0; i < 2 + random.below(5); ++i)
      tokens.push_back(static_cast<std::int32_t>(random.below(31)));
    const std::vector<float> before = sir(s).surprisals();
    const std::vector<std::int64_t> was = sir(s).tokens();
    const auto coming = static_cast<std::int64_t>(tokens.size());
    s.memory().reserve(coming);
    if (static_cast<std::int64_t>(before.size()) + coming > 18) {
      const auto expected = brute_force(before, 2, 14 - coming, 18 - coming);
      ASSERT_EQ(sir(s).tokens().size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(sir(s).tokens()[i], was[static_cast<std::size_t>(expected[i])]);
        EXPECT_FLOAT_EQ(sir(s).surprisals()[i], 0.9f * before[static_cast<std::size_t>(expected[i])]);
      }
    }
    std::vector<float> nll;
    s.feed(tokens, {}, &nll);
    s.memory().end_of_turn();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      truth.push_back(nll[i]);
      turn_of.push_back(t);
      all.push_back(tokens[i]);
    }
    EXPECT_LE(sir(s).stored_tokens(0, 0), 18);
    ASSERT_EQ(static_cast<std::int64_t>(sir(s).surprisals().size()), sir(s).stored_tokens(0, 0));
    for (std::size_t i = 0; i < sir(s).tokens().size(); ++i) {
      const auto token = static_cast<std::size_t>(sir(s).tokens()[i]);
      EXPECT_EQ(sir(s).turns()[i], turn_of[token]);
      // Faded once for every turn since, never in its own.
      const double faded =
          token == 0 ? 0 : truth[token] * std::pow(0.9, static_cast<double>(t - turn_of[token]));
      EXPECT_NEAR(sir(s).surprisals()[i], faded, 1e-4);
    }
  }
}

TEST(Sir, KeptKeysAreTheOriginalOnesAtPlacesInTheCache) {
  const Fixture f;
  Session s = f.session({.sinks = 1, .entropy = 11, .first_max = false});
  const auto tokens = random_tokens(30, 31);
  // For every token what the cache held before it: the view of the plain decoder.
  std::vector<View> views;
  Rows found;
  for (std::size_t at = 0; at < tokens.size(); at += 3) {
    s.memory().reserve(3);
    std::vector<std::int64_t> kept = sir(s).tokens();
    for (std::size_t i = at; i < at + 3; ++i) {
      kept.push_back(static_cast<std::int64_t>(i));
      View view;
      for (std::size_t k = 0; k < kept.size(); ++k)
        view.seen.push_back({kept[k], static_cast<std::int64_t>(k)});
      view.position = static_cast<std::int64_t>(kept.size()) - 1;
      views.push_back(view);
    }
    s.feed({tokens.data() + at, 3},
           [&](std::size_t, std::span<const float> l) { found.emplace_back(l.begin(), l.end()); });
    s.memory().end_of_turn();
  }
  const Rows expected = plain::Decoder(f.model).logits(
      tokens, [&](std::int64_t t) { return views[static_cast<std::size_t>(t)]; });
  EXPECT_LT(difference(found, expected), 3e-5);
}

TEST(Sir, WithoutSurprisingTokensItIsStreamingLlmBitForBit) {
  const Fixture f;
  Session a = f.session({.sinks = 2, .entropy = 0, .recent = 12});
  Session b(f.decoder, std::make_unique<SinkMemory>(f.decoder->config(), f.decoder->rope(),
                                                    SinkMemory::Options{2, 12, SinkMemory::Keys::kRaw}));
  Random random(6);
  for (int t = 0; t < 20; ++t) {
    std::vector<std::int32_t> tokens(1 + random.below(6));
    for (auto& v : tokens) v = static_cast<std::int32_t>(random.below(31));
    for (Session* s : {&a, &b}) {
      s->memory().reserve(static_cast<std::int64_t>(tokens.size()));
      for (const std::int32_t token : tokens) s->step(token);
      s->memory().end_of_turn();
    }
    EXPECT_TRUE(std::ranges::equal(a.logits(), b.logits())) << t;
  }
}

TEST(Sir, SurprisalIsNotEntropyAndTheFirstTokenHasTwoRules) {
  const Fixture f;
  Session truth = f.session({.sinks = 1, .entropy = 20, .first_max = false}),
          max = f.session({.sinks = 1, .entropy = 20}),
          echo = f.session({.sinks = 1, .entropy = 20, .echo = true, .first_max = false});
  const std::vector<std::int32_t> one{0, 4, 9}, two{5, 5, 11};
  for (Session* s : {&truth, &max, &echo}) turn(*s, one, 3), turn(*s, two, 3);
  std::vector<std::int32_t> all = one;
  all.insert(all.end(), two.begin(), two.end());
  const Rows rows = plain::Decoder(f.model).dense(all);
  const auto minus_log = [&](std::size_t row, std::int32_t token) {
    return surprisal(std::vector<float>(rows[row].begin(), rows[row].end()), token);
  };
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_NEAR(sir(truth).surprisals()[i], minus_log(i - 1, all[i]), 1e-4);
    EXPECT_NEAR(sir(echo).surprisals()[i], minus_log(i - 1, all[i - 1]), 1e-4);
  }
  EXPECT_FLOAT_EQ(sir(max).surprisals()[3], std::max(sir(truth).surprisals()[4], sir(truth).surprisals()[5]));
  EXPECT_FLOAT_EQ(sir(max).surprisals()[4], sir(truth).surprisals()[4]);
}

TEST(Sir, ATurnThatOutgrowsItsRoomStaysWithinTheCache) {
  const Fixture f;
  Session s = f.session({.sinks = 2, .entropy = 8});
  const auto tokens = random_tokens(60, 31);
  s.memory().reserve(4);
  for (const std::int32_t token : tokens) {
    s.step(token);
    EXPECT_LE(s.memory().stored_tokens(0, 0), 10);
  }
  EXPECT_EQ(sir(s).tokens()[0], 0);
  EXPECT_EQ(sir(s).tokens()[1], 1);
  EXPECT_THROW(f.session({.sinks = 4, .entropy = 29}), Error);
  EXPECT_THROW(f.session({.sinks = 4, .entropy = 0}), Error);
  EXPECT_THROW(f.session({.sinks = 4, .entropy = 5, .decay = 0}), Error);
}

TEST(Sir, ResumedBetweenAnyTokensAndForked) {
  const Fixture f;
  for (const auto rule :
       {SirMemory::Rule::kSurprisal, SirMemory::Rule::kRandom, SirMemory::Rule::kShuffled}) {
    const SirMemory::Options options{.sinks = 1, .entropy = 9, .decay = 0.8, .rule = rule, .seed = 4};
    const auto tokens = random_tokens(36, 31);
    const auto go = [&](Session& s, std::size_t from, std::size_t to) {
      for (std::size_t t = from; t < to; ++t) {
        if (t % 4 == 0) s.memory().reserve(4);
        s.step(tokens[t]);
        if (t % 4 == 3) s.memory().end_of_turn();
      }
    };
    Session whole = f.session(options);
    go(whole, 0, tokens.size());
    for (std::size_t stop = 0; stop <= tokens.size(); ++stop) {
      Session first = f.session(options), second = f.session(options);
      go(first, 0, stop);
      Archive state;
      first.save(state);
      second.load(state);
      Session fork = second.fork();
      fork.step(3);  // must not show in the other
      go(second, stop, tokens.size());
      EXPECT_TRUE(std::ranges::equal(second.logits(), whole.logits())) << stop;
    }
  }
}

TEST(Sir, WhatIsKeptLiesWithinTheModelsWindow) {
  ModelConfig c = small_config();
  c.sliding_window = 10;
  const LanguageModel windowed = random_model(c, 21, 2);
  c.sliding_window = 0;
  const LanguageModel open = random_model(c, 21, 2);
  const auto tokens = random_tokens(50, 31);
  const auto session = [](const LanguageModel& model, std::int64_t entropy) {
    const auto decoder = std::make_shared<const Decoder>(model);
    return Session(decoder, std::make_unique<SirMemory>(
                                decoder->config(), decoder->rope(),
                                SirMemory::Options{.sinks = 2, .entropy = entropy, .recent = 3}));
  };
  Session a = session(windowed, 5), b = session(open, 5);
  EXPECT_EQ(run(a, tokens, 1), run(b, tokens, 1));
  EXPECT_LE(sir(a).cap(), 10);
  try {
    session(windowed, 6);
    FAIL() << "11 tokens were accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr(
                              "memory sir of 11 tokens is larger than the model's sliding window of 10"));
  }
}

}  // namespace
}  // namespace stream::llm
