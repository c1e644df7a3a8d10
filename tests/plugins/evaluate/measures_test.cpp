/// Measures against values computed by hand.
#include <gmock/gmock.h>

#include <cmath>

#include "evaluate/measures.hpp"
#include "evaluate/resampled.hpp"
#include "stream/random.hpp"

namespace stream::evaluate {
namespace {

TEST(Ndcg, ByHand) {
  // Gains 3, 2, 3, 0, 1, 2: 3 + 2/1.58496 + 3/2 + 0 + 1/2.58496 + 2/2.80735 = 6.86113.
  const std::vector<double> gains{3, 2, 3, 0, 1, 2};
  EXPECT_NEAR(dcg(gains, 6), 6.861126688593501, 1e-12);
  EXPECT_NEAR(dcg(gains, 2), 3 + 2 / std::log2(3.0), 1e-12);
  // Hits at ranks 1 and 3 of three relevant: (1 + 1/2) / (1 + 1/log2(3) + 1/2).
  EXPECT_NEAR(ndcg({true, false, true}, 3, 10), 1.5 / (1.5 + 1 / std::log2(3.0)), 1e-12);
  // No more than k can be found: five relevant, k = 2, both first ranks hit.
  EXPECT_DOUBLE_EQ(ndcg({true, true, false}, 5, 2), 1.0);
  EXPECT_DOUBLE_EQ(ndcg({false, false, true}, 5, 2), 0.0);
  EXPECT_DOUBLE_EQ(ndcg({}, 1, 2), 0.0);
  EXPECT_TRUE(std::isnan(ndcg({false}, 0, 10)));
}

TEST(Recall, ByHand) {
  EXPECT_DOUBLE_EQ(recall({true, false, true, true}, 4, 3), 0.5);
  EXPECT_DOUBLE_EQ(recall({true}, 4, 10), 0.25);
  EXPECT_TRUE(std::isnan(recall({false}, 0, 10)));
}

TEST(Hits, AnItemIsFoundOnce) {
  EXPECT_THAT(hits_of(std::vector<std::string>{"a", "b", "a"}, {"a", "c"}),
              ::testing::ElementsAre(true, false, false));
}

TEST(Auc, ByHand) {
  // Pairs of positive and negative: 0.35 > 0.1; 0.35 < 0.4; 0.8 > both: 3 of 4.
  const std::vector<double> scores{0.1, 0.4, 0.35, 0.8};
  EXPECT_DOUBLE_EQ(auc(scores, std::vector<std::uint8_t>{0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(auc(scores, std::vector<std::uint8_t>{1, 1, 0, 0}), 0.25);
  const std::vector<double> tied{1, 1, 1, 2};
  // Ties count half: positives 1 and 2 against negatives 1, 1: (0.5 + 0.5 + 1 + 1) / 4.
  EXPECT_DOUBLE_EQ(auc(tied, std::vector<std::uint8_t>{0, 1, 0, 1}), 0.75);
  EXPECT_TRUE(std::isnan(auc(tied, std::vector<std::uint8_t>{1, 1, 1, 1})));
  // A weight of two is the same as being there twice.
  EXPECT_DOUBLE_EQ(auc_of_sorted(std::vector<double>{1, 2, 3}, std::vector<std::uint8_t>{0, 1, 0},
                                 std::vector<double>{2, 1, 1}),
                   auc(std::vector<double>{1, 1, 2, 3}, std::vector<std::uint8_t>{0, 0, 1, 0}));
}

TEST(Rmse, ByHand) {
  EXPECT_DOUBLE_EQ(rmse(std::vector<double>{1, 2, 3}, std::vector<double>{1, 4, 7}), std::sqrt(20.0 / 3));
}

TEST(CalibrationError, ByHand) {
  // Bin 1 of 2: mean .2, none positive: gap .2 for two; bin 2: mean .9, half positive: gap .4 for two.
  EXPECT_NEAR(
      calibration_error(std::vector<double>{.1, .3, .8, 1.0}, std::vector<std::uint8_t>{0, 0, 1, 0}, 2),
      (2 * .2 + 2 * .4) / 4, 1e-12);
}

TEST(Spearman, ByHand) {
  EXPECT_DOUBLE_EQ(spearman(std::vector<double>{1, 2, 3, 4}, std::vector<double>{10, 20, 30, 400}), 1.0);
  // d = (0, 1, 1): 1 - 6 * 2 / (3 * 8) = 0.5.
  EXPECT_DOUBLE_EQ(spearman(std::vector<double>{1, 2, 3}, std::vector<double>{1, 3, 2}), 0.5);
  // Ties at mean ranks: ranks 1.5, 1.5, 3 against 1, 2, 3 correlate by 1.5 / sqrt(1.5 * 2).
  EXPECT_NEAR(spearman(std::vector<double>{5, 5, 9}, std::vector<double>{1, 2, 3}), 1.5 / std::sqrt(3.0),
              1e-12);
  EXPECT_TRUE(std::isnan(spearman(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
}

TEST(Quantile, LinearBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.1), 1.3);
  EXPECT_DOUBLE_EQ(quantile({4, NAN, 2}, 1), 4);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Bootstrap, PoissonDrawsAreOneInTheMeanAndReproducible) {
  double sum = 0, squares = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double n = times_drawn(static_cast<std::uint64_t>(i / 100), static_cast<std::uint64_t>(i % 100), 7);
    sum += n, squares += n * n;
  }
  EXPECT_NEAR(sum / kDraws, 1, 0.01);
  EXPECT_NEAR(squares / kDraws - 1, 1, 0.03);
  EXPECT_EQ(times_drawn(5, 6, 7), times_drawn(5, 6, 7));
}

/// Of 95 % intervals, about 95 % hold the true mean: with as many draws, 89 % to 99 % is beyond doubt.
template <typename MakeInterval>
int holding(MakeInterval interval) {
  Random random(11);
  int held = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> values(150);
    for (double& v : values) v = 2 + random.normal();
    const Interval i = interval(values, static_cast<std::uint64_t>(trial));
    held += i.low <= 2 && 2 <= i.high ? 1 : 0;
  }
  return held;
}

TEST(Bootstrap, IntervalsHoldTheTruthAsOftenAsTheySay) {
  const auto exact = holding([](const auto& v, auto seed) { return bootstrap_mean(v, 200, 0.95, seed); });
  const auto streamed = holding([](const auto& v, auto seed) {
    Resampled r(200, seed);
    for (std::size_t i = 0; i < v.size(); ++i) r.add(i, v[i]);
    return r.interval(0.95);
  });
  EXPECT_THAT(exact, ::testing::AllOf(::testing::Ge(178), ::testing::Le(198)));
  EXPECT_THAT(streamed, ::testing::AllOf(::testing::Ge(178), ::testing::Le(198)));
}

TEST(Bootstrap, UnitsAreResampledAsAWhole) {
  // Ten users of ten equal events: events as units would understate the spread by about sqrt(10).
  Resampled events(400, 1), users(400, 1);
  Random random(3);
  for (std::uint64_t user = 0; user < 10; ++user) {
    const double level = random.normal();
    for (std::uint64_t i = 0; i < 10; ++i) {
      events.add(100 * user + i, level);
      users.add(user, level);
    }
  }
  const auto width = [](const Interval& i) { return i.high - i.low; };
  EXPECT_GT(width(users.interval(0.95)), 2 * width(events.interval(0.95)));
}

}  // namespace
}  // namespace stream::evaluate
