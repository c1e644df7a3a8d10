#include "engine/latency.hpp"

#include <gtest/gtest.h>

namespace stream {
namespace {

TEST(LatencyHistogram, QuantilesAreWithinABucketOfTheTruth) {
  LatencyHistogram h;
  for (int i = 1; i <= 100000; ++i) h.add(i * 1000);
  EXPECT_NEAR(h.quantile(0.5), 0.05, 0.05 * 0.125);
  EXPECT_NEAR(h.quantile(0.99), 0.099, 0.099 * 0.125);
  EXPECT_DOUBLE_EQ(h.max(), 0.1);
}

TEST(LatencyHistogram, NoQuantileLiesAboveTheGreatestValue) {
  LatencyHistogram h;
  h.add(22'600'000);
  EXPECT_DOUBLE_EQ(h.quantile(0.99), h.max());
}

TEST(LatencyHistogram, TakesExtremes) {
  LatencyHistogram h;
  EXPECT_EQ(h.quantile(0.5), 0);
  h.add(-5);
  h.add(0);
  h.add(std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(h.max(), 9e9);
}

}  // namespace
}  // namespace stream
