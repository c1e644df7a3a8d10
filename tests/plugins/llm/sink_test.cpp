/// StreamingLLM's memory, its baselines, and what the card calls cheating.
#include <gmock/gmock.h>

#include "llm/memory_full.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/memory_window.hpp"
#include "models.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using Keys = SinkMemory::Keys;

struct Fixture {
  explicit Fixture(const ModelConfig& config = small_config(), std::uint64_t seed = 11)
      : model(random_model(config, seed)), decoder(std::make_shared<const Decoder>(model)) {}
  Session sink(std::int64_t sinks, std::int64_t recent, Keys keys = Keys::kTurned) const {
    return Session(decoder, std::make_unique<SinkMemory>(decoder->config(), decoder->rope(),
                                                         SinkMemory::Options{sinks, recent, keys}));
  }
  Session full() const {
    return Session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
  }
  LanguageModel model;
  std::shared_ptr<const Decoder> decoder;
};

TEST(Sink, EqualsAPlainReferenceWithPlacesInTheCache) {
  for (const Position position : {Position::kRope, Position::kAlibi, Position::kNone}) {
    ModelConfig c = small_config();
    c.position = position;
    const Fixture f(c);
    const auto tokens = random_tokens(100, c.vocabulary);
    for (const auto& [sinks, recent] :
         {std::pair<std::int64_t, std::int64_t>{1, 7}, {4, 9}, {0, 8}, {3, 1}}) {
      const Rows expected = plain::Decoder(f.model).logits(
          tokens, [s = sinks, r = recent](std::int64_t t) { return plain::window_with_sinks(t, s, r); });
      for (const Keys keys : {Keys::kTurned, Keys::kRaw})
        for (const std::size_t block : {std::size_t{1}, std::size_t{5}, std::size_t{100}}) {
          Session session = f.sink(sinks, recent, keys);
          EXPECT_LT(difference(run(session, tokens, block), expected), 2e-5)
              << name_of(position) << ' ' << sinks << '+' << recent << ", block " << block;
        }
    }
  }
}

TEST(Sink, TheFirstTokensAreDenseBitForBit) {
  const Fixture f;
  const auto tokens = random_tokens(60, 31);
  Session dense = f.full(), sink = f.sink(4, 16);
  const Logits expected = run(dense, tokens, 1), found = run(sink, tokens, 1);
  for (std::size_t t = 0; t <= 20; ++t) EXPECT_EQ(found[t], expected[t]) << t;  // 20 kept and the new one
  EXPECT_NE(found[22], expected[22]);
}

TEST(Sink, FarBeyondTheContextPlacesInTheStreamAreAnotherThing) {
  const Fixture f;
  const auto tokens = random_tokens(400, 31);
  Session sink = f.sink(2, 12), raw = f.sink(2, 12, Keys::kRaw),
          wrong = f.sink(2, 12, Keys::kStreamPositions);
  const Logits a = run(sink, tokens, 1), b = run(raw, tokens, 1), c = run(wrong, tokens, 1);
  EXPECT_LT(difference(a, b), 2e-5);
  EXPECT_GT(difference(a, c, 300), 1e-2);
}

TEST(Sink, MemoryIsConstantToTheByte) {
  const Fixture f;
  const auto tokens = random_tokens(300, 31);
  Session sink = f.sink(2, 10);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    sink.step(tokens[t]);
    const std::size_t kept = std::min<std::size_t>(t + 1, 12);
    EXPECT_EQ(sink.memory().resident_bytes(), 2 * 2 * 2 * kept * 6 * sizeof(float));
    EXPECT_EQ(sink.memory().stored_tokens(1, 1), static_cast<std::int64_t>(kept));
    if (t == 100 || t == 250) {
      Archive state;
      sink.save(state);
      EXPECT_EQ(state.group("memory").bytes(), 2u * 2 * 2 * 12 * 6 * sizeof(float) + 4 + 5 * 8)
          << "a history is kept";
    }
  }
}

TEST(Sink, KeptKeysAreThoseOfTheTimeWhenTheTokenCame) {
  // Running the kept tokens anew gives other keys in the second layer: those that are kept know what has
  // gone.
  const Fixture f;
  const auto tokens = random_tokens(60, 31);
  Session sink = f.sink(1, 7);
  run(sink, tokens, 1);
  std::vector<std::int32_t> kept{tokens[0]};
  kept.insert(kept.end(), tokens.end() - 7, tokens.end());
  Session anew = f.sink(1, 7);
  run(anew, kept, 1);
  const auto& a = dynamic_cast<SinkMemory&>(sink.memory());
  const auto& b = dynamic_cast<SinkMemory&>(anew.memory());
  EXPECT_NEAR(*a.value(0, 0, 5), *b.value(0, 0, 5), 1e-5);
  EXPECT_GT(std::abs(*a.value(1, 0, 5) - *b.value(1, 0, 5)), 1e-3);
}

TEST(Sink, ATurnMakesRoomForItself) {
  const Fixture f;
  const auto tokens = random_tokens(40, 31);
  for (const Keys keys : {Keys::kTurned, Keys::kRaw}) {
    Session sink = f.sink(2, 10, keys);
    run(sink, tokens, 1);
    sink.memory().reserve(3);
    EXPECT_EQ(sink.memory().stored_tokens(0, 0), 9);  // 2 sinks and the last 10 - 3
    // Three more are seen without anything being dropped.
    const std::vector<std::int32_t> turn{5, 6, 7};
    std::vector<std::int32_t> all = tokens;
    all.insert(all.end(), turn.begin(), turn.end());
    const Rows expected = plain::Decoder(f.model).logits(all, [](std::int64_t t) {
      if (t < 40) return plain::window_with_sinks(t, 2, 10);
      View view;
      for (std::int64_t s = 0; s <= t; ++s)
        if (s < 2 || s >= 33) view.seen.push_back({s, static_cast<std::int64_t>(view.seen.size())});
      view.position = static_cast<std::int64_t>(view.seen.size()) - 1;
      return view;
    });
    for (const std::size_t block : {std::size_t{1}, std::size_t{3}}) {
      Session fork = sink.fork();
      const Logits found = run(fork, turn, block);
      EXPECT_LT(difference(found, Rows(expected.end() - 3, expected.end())), 2e-5);
      EXPECT_EQ(fork.memory().stored_tokens(0, 0), 12);
    }
    sink.memory().reserve(11);
    EXPECT_EQ(sink.memory().stored_tokens(0, 0), 2);  // nothing but the sinks
  }
}

TEST(Sink, ARangeCanBeForgotten) {
  const Fixture f;
  const auto tokens = random_tokens(41, 31);
  for (const Keys keys : {Keys::kTurned, Keys::kRaw}) {
    Session sink = f.sink(2, 10, keys);
    run(sink, {tokens.begin(), tokens.end() - 1}, 1);
    sink.memory().evict(5, 8);
    const Rows expected = plain::Decoder(f.model).logits(tokens, [](std::int64_t t) {
      if (t < 40) return plain::window_with_sinks(t, 2, 10);
      View view;
      for (std::int64_t s = 0; s <= t; ++s)
        if (s < 2 || (s >= 30 && !(s >= 33 && s < 36)))
          view.seen.push_back({s, static_cast<std::int64_t>(view.seen.size())});
      view.position = static_cast<std::int64_t>(view.seen.size()) - 1;
      return view;
    });
    sink.step(tokens.back());
    EXPECT_LT(difference(Logits{{sink.logits().begin(), sink.logits().end()}}, Rows{expected.back()}), 2e-5);
    EXPECT_THROW(sink.memory().evict(1, 4), Error);
    EXPECT_THROW(sink.memory().evict(4, 40), Error);
  }
}

TEST(Sink, ResumedAnywhereItGoesOnTheSame) {
  const Fixture f;
  const auto tokens = random_tokens(40, 31);
  for (const Keys keys : {Keys::kTurned, Keys::kRaw}) {
    Session whole = f.sink(2, 10, keys);
    const Logits expected = run(whole, tokens, 1);
    for (std::size_t stop = 0; stop <= tokens.size(); ++stop) {
      Session first = f.sink(2, 10, keys), second = f.sink(2, 10, keys);
      for (std::size_t t = 0; t < stop; ++t) first.step(tokens[t]);
      Archive state;
      first.save(state);
      second.load(state);
      for (std::size_t t = stop; t < tokens.size(); ++t) second.step(tokens[t]);
      EXPECT_TRUE(std::ranges::equal(second.logits(), expected.back())) << stop;
    }
  }
}

TEST(Sink, WhatCannotBeIsNamed) {
  const Fixture f;
  EXPECT_THROW(f.sink(4, 29), Error);  // 33 of a context of 32
  EXPECT_THROW(f.sink(4, 0), Error);
  EXPECT_NO_THROW(f.sink(4, 28));
  Session session = f.full();
  EXPECT_THROW(session.step(31), Error);
  EXPECT_THROW(session.step(-1), Error);
  EXPECT_EQ(session.tokens(), 0);
}

TEST(Recompute, EqualsADenseRunOverItsWindow) {
  const Fixture f;
  const auto tokens = random_tokens(50, 31);
  for (const std::int64_t first : {0, 1}) {
    Session session(f.decoder, std::make_unique<RecomputeMemory>(f.decoder->config(), f.decoder->rope(),
                                                                 RecomputeMemory::Options{first, 12}));
    std::vector<float> nll;
    session.feed(tokens, {}, &nll);
    std::vector<std::int32_t> window(tokens.begin(), tokens.begin() + first);
    window.insert(window.end(), tokens.end() - (12 - first), tokens.end());
    EXPECT_LT(difference(Logits{{session.logits().begin(), session.logits().end()}},
                         Rows{plain::Decoder(f.model).dense(window).back()}),
              2e-5);
    window.assign(tokens.begin(), tokens.begin() + first);
    window.insert(window.end(), tokens.begin() + 28 + first, tokens.begin() + 40);
    const Row row = plain::Decoder(f.model).dense(window).back();
    EXPECT_NEAR(nll[40], surprisal(std::vector<float>(row.begin(), row.end()), tokens[40]), 2e-5);
  }
}

TEST(Session, SurprisalsAreThoseOfTheTokensThatCame) {
  const Fixture f;
  const auto tokens = random_tokens(20, 31);
  const Rows rows = plain::Decoder(f.model).dense(tokens);
  for (const std::size_t block : {std::size_t{1}, std::size_t{20}}) {
    Session session = f.full();
    std::vector<float> nll;
    for (std::size_t at = 0; at < tokens.size(); at += block)
      session.feed({tokens.data() + at, block}, {}, &nll);
    ASSERT_EQ(nll.size(), tokens.size());
    EXPECT_TRUE(std::isnan(nll[0]));
    for (std::size_t t = 1; t < tokens.size(); ++t) {
      double sum = 0;
      for (const double v : rows[t - 1]) sum += std::exp(v);
      EXPECT_NEAR(nll[t], std::log(sum) - rows[t - 1][static_cast<std::size_t>(tokens[t])], 1e-5);
    }
  }
}

}  // namespace
}  // namespace stream::llm
