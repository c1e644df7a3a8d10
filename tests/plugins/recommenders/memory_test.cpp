/// Memory, sessions and search, against values computed by hand or by force.
#include <gmock/gmock.h>

#include <cmath>

#include "recommenders/actr_memory.hpp"
#include "recommenders/inner_product.hpp"
#include "recommenders/item_index.hpp"
#include "recommenders/pisa_features.hpp"
#include "recommenders/session_log.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {
namespace {

using ::testing::ElementsAre;

TEST(PlayHistory, ByHand) {
  PlayHistory history;
  history.play(7, 0), history.play(3, 75), history.play(7, 84);
  const auto at = history.activations(100);
  ASSERT_EQ(at.size(), 2u);
  EXPECT_EQ(at[0].item, 3);
  EXPECT_DOUBLE_EQ(at[0].strength, 1.0 / 5);             // 25 s ago
  EXPECT_DOUBLE_EQ(at[1].strength, 1.0 / 10 + 1.0 / 4);  // 100 s and 16 s ago
  const BaseLevels levels(at);
  EXPECT_DOUBLE_EQ(levels.of(3), 0.2 / 0.55);
  EXPECT_EQ(levels.of(4), 0);
  EXPECT_EQ(levels.long_term().items[0], 7);
}

TEST(PlayHistory, OlderPlaysAreApproximated) {
  PlayHistory exact, bounded({.times = 16});
  for (int i = 0; i < 400; ++i) exact.play(1, 3600.0 * i), bounded.play(1, 3600.0 * i);
  const double now = 3600.0 * 405;
  const double truth = exact.activations(now)[0].strength;
  EXPECT_NEAR(bounded.activations(now)[0].strength, truth, 0.01 * truth);
  EXPECT_LT(bounded.bytes(), exact.bytes() / 10);
}

TEST(PlayHistory, ForgetsWhatWasNotHeardForLongest) {
  PlayHistory history({.items = 2});
  history.play(1, 10), history.play(2, 20), history.play(1, 30), history.play(3, 40);
  EXPECT_TRUE(history.knows(1));
  EXPECT_FALSE(history.knows(2));
  EXPECT_TRUE(history.knows(3));
  EXPECT_EQ(history.size(), 2u);
}

TEST(PlayHistory, WithWhatIsOpenAsIfItHadBeenPlayed) {
  const PlayHistory::Options all[] = {{}, {.times = 3}, {.items = 12}, {.times = 2, .items = 30}};
  for (const PlayHistory::Options& options : all) {
    PlayHistory history(options);
    Random random(4);
    for (int i = 0; i < 300; ++i) history.play(static_cast<std::int32_t>(1 + random.below(40)), 60.0 * i);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::int32_t> open;  // some twice, some never heard
      for (std::uint64_t i = random.below(9); i > 0; --i)
        open.push_back(static_cast<std::int32_t>(1 + random.below(60)));
      PlayHistory played = history;
      for (const std::int32_t item : open) played.play(item, 18500);
      const auto expected = played.activations(19000), found = history.activations_with(open, 18500, 19000);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].item, expected[i].item);
        EXPECT_EQ(found[i].strength, expected[i].strength);
      }
    }
  }
}

events::Event event(const char* user, const char* item, int seconds) {
  return {std::chrono::seconds(seconds), user, item, 0, {}};
}

TEST(Sessions, EndWhereNothingComesAndHoldDistinctItems) {
  const std::vector<events::Event> log{event("u", "a", 0),  event("v", "a", 5),    event("u", "b", 10),
                                       event("u", "a", 20), event("u", "c", 1000), event("v", "b", 1200)};
  const SessionLog found = sessions_of(log, 600, 1, 1);
  ASSERT_THAT(found.users, ElementsAre("u", "v"));
  ASSERT_EQ(found.sessions[0].size(), 2u);
  EXPECT_THAT(found.sessions[0][0].items, ElementsAre(1, 2));
  EXPECT_EQ(found.sessions[0][1].time, 1000);
  EXPECT_EQ(found.sessions[1].size(), 2u);
  EXPECT_EQ(sessions_of(log, 600, 2, 1).catalogue.size(), 2u) << "c was played once";
  EXPECT_EQ(sessions_of(log, 600, 1, 3).users.size(), 0u);
}

TEST(Cooccurrence, ByHand) {
  SessionLog log;
  for (const char* name : {"a", "b", "c"}) log.catalogue.add(name);
  log.users = {"u"};
  log.sessions = {{{0, {1, 2}, {}}, {1, {1, 2, 3}, {}}, {2, {1, 3}, {}}}};
  const std::vector<std::size_t> upto{2};
  Cooccurrence c(log, upto);
  // A_ab = 2, A_ac = A_bc = 1; degrees 3, 3, 2.
  EXPECT_NEAR(c.at(1, 2), 2 / std::sqrt(9.0), 1e-6);
  EXPECT_NEAR(c.at(1, 3), 1 / std::sqrt(6.0), 1e-6);
  EXPECT_EQ(c.at(1, 1), 0);
  Session session{5, {1, 3}, {}};
  c.fill(session);
  EXPECT_NEAR(session.spreading[0], 1 / std::sqrt(6.0), 1e-6);
}

std::vector<float> vectors(std::size_t rows, std::size_t features, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> out(rows * features);
  for (float& v : out) v = static_cast<float>(random.normal());
  return out;
}

TEST(InnerProducts, EqualPlainSumsOnEveryProcessor) {
  for (const std::size_t n : {1u, 7u, 8u, 33u, 64u, 130u}) {
    const auto v = vectors(2, n, n);
    const float *a = v.data(), *b = a + n;
    double sum = 0, coded = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    CodedVector of_a(n), of_b(n);
    const std::byte *x = of_a.of(a), *y = of_b.of(b);
    ASSERT_EQ(CodedVector::size(n) % 4, 0u);
    std::vector<float> distances;
    for (const InnerProducts* products : all_inner_products()) {
      EXPECT_NEAR(products->floats(a, b, n), sum, 1e-4) << products->name;
      distances.push_back(products->coded_distance(x, y, &n));
      coded = 1 - static_cast<double>(distances.back());
      EXPECT_NEAR(coded, sum, 0.05 * std::sqrt(static_cast<double>(n))) << products->name;
    }
    for (const float d : distances) EXPECT_NEAR(d, distances[0], 1e-5f * (1 + std::abs(distances[0])));
  }
}

TEST(ItemIndex, ExactUpToASizeAndCloseBeyond) {
  const auto items = vectors(3001, 16, 1), queries = vectors(50, 16, 2);
  const ItemIndex exact(items, 16, {.exact_up_to = 3000});
  EXPECT_TRUE(exact.exact());
  EXPECT_EQ(exact.recall(queries, 10), 1.0);
  const ItemIndex graph(items, 16, {.exact_up_to = 2999});
  EXPECT_FALSE(graph.exact());
  EXPECT_GT(graph.recall(queries, 10), 0.9);
  const ItemIndex again(items, 16, {.exact_up_to = 2999});
  for (std::size_t q = 0; q < 50; ++q) {
    const auto query = std::span(queries).subspan(16 * q, 16);
    const auto a = graph.best(query, 10), b = again.best(query, 10), truth = exact.best(query, 3);
    ASSERT_EQ(a.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(a[i].item, b[i].item);
    EXPECT_GE(truth[0].score, a[0].score);
    for (const FoundItem& t : truth)
      for (const FoundItem& found : a)
        EXPECT_TRUE(found.item != t.item || found.score == t.score) << "scores are exact, walks are not";
    EXPECT_GE(a[0].item, 1) << "padding is no item";
  }
}

TEST(ItemIndex, WalksWhateverTheVectors) {
  auto items = vectors(501, 19, 3);  // no multiple of any vector's width
  for (std::size_t i = 0; i < 19; ++i)
    items[19 * 7 + i] = 0, items[19 * 8 + i] *= 1e6f, items[19 * 9 + i] *= 1e-6f;
  const ItemIndex graph(items, 19, {.exact_up_to = 100});
  EXPECT_EQ(graph.best(std::vector<float>(19), 3).size(), 3u);
  EXPECT_EQ(graph.best(std::span(items).subspan(19 * 8, 19), 1).at(0).item, 8);
  // Nothing may link to a vector that is nearest to none.
  EXPECT_GE(graph.best(std::span(items).subspan(19, 19), 5000).size(), 490u);
}

}  // namespace
}  // namespace stream::recommenders
