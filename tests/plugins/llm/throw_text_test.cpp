/// The opponent of SirLLM's games, and what can be known of its throws.
#include "llm/throw_text.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

using ::testing::ElementsAre;

TEST(Opponent, KeepsAFavouriteForAPeriodAndThrowsByRank) {
  const ThrowShape shape;
  Opponent opponent(shape, Random(4));
  constexpr int kPeriods = 3000;
  std::array<int, kThrows> by_rank{};
  std::map<Ranking, std::map<Ranking, int>> successors;
  Ranking before{};
  for (int period = 0; period < kPeriods; ++period) {
    Ranking ranking{};
    for (std::int64_t round = 0; round < shape.period; ++round) {
      const std::int64_t thrown = opponent.next();
      ASSERT_GE(thrown, 0);
      ASSERT_LT(thrown, kThrows);
      if (round == 0) ranking = opponent.ranking();
      ASSERT_EQ(opponent.ranking(), ranking) << "round " << round << " of period " << period;
      ++by_rank.at(
          static_cast<std::size_t>(std::find(ranking.begin(), ranking.end(), thrown) - ranking.begin()));
    }
    if (period > 0) ++successors[before][ranking];
    before = ranking;
  }
  // Four standard deviations of 180000 throws.
  const auto probabilities = shape.probabilities();
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank)
    EXPECT_NEAR(by_rank.at(rank) / (60.0 * kPeriods), probabilities.at(rank), 0.005) << rank;
  ASSERT_EQ(successors.size(), kRankings.size());
  for (const auto& [from, to] : successors) {
    EXPECT_EQ(to.size(), 4u);
    int all = 0;
    for (const auto& [ranking, count] : to) {
      EXPECT_NE(ranking[0], from[0]) << "another favourite";
      all += count;
    }
    for (const auto& [ranking, count] : to) EXPECT_NEAR(count / static_cast<double>(all), 0.25, 0.08);
  }
}

TEST(ThrowText, CallsBeforeEveryThrowOrNever) {
  std::vector<std::int32_t> called = ThrowText({}, Random(7)).take(200);
  const std::vector<std::int32_t> bare = ThrowText({.call = false}, Random(7)).take(100);
  Opponent opponent({}, Random(7));
  for (std::size_t i = 0; i < bare.size(); ++i) {
    EXPECT_EQ(bare[i], 1 + opponent.next());
    EXPECT_EQ(called[2 * i], 4);
    EXPECT_EQ(called[2 * i + 1], bare[i]);
  }
  EXPECT_EQ(ThrowShape().vocabulary(), 5);
  EXPECT_NE(ThrowText({}, Random(8)).take(200), called);
}

TEST(ThrowText, GoesOnFromWhereItWasSaved) {
  for (const bool call : {false, true})
    for (const std::int64_t after : {0, 1, 13, 14, 28, 29}) {
      const ThrowShape shape{.period = 7, .call = call};
      ThrowText text(shape, Random(3));
      text.take(after);
      Archive saved;
      text.save(saved);
      ThrowText other(shape, Random(99));
      other.load(saved);
      EXPECT_EQ(other.take(100), text.take(100)) << after;
    }
  Archive longer;
  ThrowText text({.call = false}, Random(3));
  text.take(40);
  text.save(longer);
  ThrowText brief({.period = 7, .call = false}, Random(3));
  EXPECT_THROW(brief.load(longer), Error);
}

TEST(ThrowText, RefusesWhatIsNoDistribution) {
  EXPECT_THROW(Opponent({.period = 0}, Random(1)), Error);
  EXPECT_THROW(Opponent({.favourite = 0.8}, Random(1)), Error);
  EXPECT_THROW(ThrowBelief({.second = -0.1}, ThrowBelief::Start::kAtChange), Error);
}

/// Sums over every course that rankings can take from `age` on, of its probability times that of the throws.
void enumerate(const ThrowShape& shape, const std::vector<std::int64_t>& throws, std::size_t round,
               std::int64_t age, const Ranking& ranking, double probability,
               std::array<double, kThrows>& next) {
  const auto p = shape.probabilities();
  if (age == shape.period) {
    for (const Ranking& other : kRankings)
      if (other[0] != ranking[0]) enumerate(shape, throws, round, 0, other, probability / 4, next);
    return;
  }
  for (std::size_t rank = 0; rank < ranking.size(); ++rank) {
    const auto thrown = ranking.at(rank);
    if (round == throws.size())
      next.at(static_cast<std::size_t>(thrown)) += probability * p.at(rank);
    else if (throws[round] == thrown)
      enumerate(shape, throws, round + 1, age + 1, ranking, probability * p.at(rank), next);
  }
}

TEST(ThrowBelief, IsWhatEnumerationGives) {
  const ThrowShape shape{.period = 3, .favourite = 0.6, .second = 0.3};
  Random random(5);
  for (int trial = 0; trial < 12; ++trial) {
    std::vector<std::int64_t> throws;
    ThrowBelief at_change(shape, ThrowBelief::Start::kAtChange);
    ThrowBelief anywhere(shape, ThrowBelief::Start::kAnywhere);
    for (int round = 0; round < 9; ++round) {
      for (const bool told : {true, false}) {
        std::array<double, kThrows> expected{};
        for (const Ranking& ranking : kRankings)
          for (std::int64_t age = 0; age < (told ? 1 : shape.period); ++age)
            enumerate(shape, throws, 0, age, ranking, 1, expected);
        const double all = expected[0] + expected[1] + expected[2];
        const auto got = (told ? at_change : anywhere).predict();
        for (std::size_t t = 0; t < got.size(); ++t)
          EXPECT_NEAR(got.at(t), expected.at(t) / all, 1e-12) << "round " << round << " told " << told;
      }
      throws.push_back(static_cast<std::int64_t>(random.below(kThrows)));
      at_change.observe(throws.back());
      anywhere.observe(throws.back());
    }
  }
}

TEST(ThrowBelief, KnowsNothingAtFirstAndRulesOutTheOldFavourite) {
  ThrowBelief belief({.period = 40}, ThrowBelief::Start::kAtChange);
  for (const double p : belief.predict()) EXPECT_NEAR(p, 1.0 / 3, 1e-12);
  for (int i = 0; i < 40; ++i) belief.observe(i % 2 == 0 ? 1 : i % 4 == 1 ? 0 : 2);
  // Throw 1 was the favourite almost surely, so it is second or third now.
  EXPECT_NEAR(belief.predict()[1], 0.25, 0.01);
  EXPECT_EQ(likeliest({0.3, 0.4, 0.3}), 1);
  EXPECT_EQ(likeliest({0.4, 0.2, 0.4}), 0);
}

}  // namespace
}  // namespace stream::llm
