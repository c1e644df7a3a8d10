/// Hawkes processes: likelihood by hand, and simulation against its own compensator.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "events/hawkes.hpp"

namespace stream::events {
namespace {

TEST(Hawkes, LikelihoodByHand) {
  // One type: mu = 0.5, a child with chance 0.4, b = 2; events at 0, 1, 1.5.
  const Hawkes h{{0.5}, {{0.4}}, 2};
  const Sequence s{{0, 0}, {1, 0}, {1.5, 0}};
  const double first = 0.5 + 0.8 * std::exp(-2.0), second = 0.5 + 0.8 * (std::exp(-3.0) + std::exp(-1.0));
  const double integral = 0.5 * 1.5 + 0.4 * (1 - std::exp(-3.0)) + 0.4 * (1 - std::exp(-1.0));
  EXPECT_NEAR(h.log_likelihood(s), std::log(first) + std::log(second) - integral, 1e-12);
  const auto gaps = h.compensator(s);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_NEAR(gaps[0], 0.5 + 0.4 * (1 - std::exp(-2.0)), 1e-12);
}

TEST(Hawkes, CompensatorGapsOfWhatIsSimulatedAreUnitExponentials) {
  Random random(5);
  for (const Hawkes& h : hawkes_regimes(6, 1)) {
    std::vector<double> gaps;
    for (int i = 0; i < 40; ++i) {
      const auto some = h.compensator(h.simulate(40, random));
      gaps.insert(gaps.end(), some.begin(), some.end());
    }
    std::sort(gaps.begin(), gaps.end());
    double most = 0;
    for (std::size_t i = 0; i < gaps.size(); ++i)
      most = std::max(most, std::abs(1 - std::exp(-gaps[i]) -
                                     (static_cast<double>(i) + 0.5) / static_cast<double>(gaps.size())));
    EXPECT_LT(most, 1.95 / std::sqrt(static_cast<double>(gaps.size()))) << "p < 0.001";
  }
}

TEST(Hawkes, RegimesDifferInTheirFrequentTypeAndHaveOneEventASecond) {
  Random random(6);
  const auto regimes = hawkes_regimes(6, 2);
  for (std::size_t r = 0; r < regimes.size(); ++r) {
    EXPECT_EQ(std::max_element(regimes[r].mu.begin(), regimes[r].mu.end()) - regimes[r].mu.begin(),
              static_cast<std::ptrdiff_t>(r));
    EXPECT_EQ(regimes[r].a, regimes[0].a);
    const Sequence s = regimes[r].simulate(4000, random);
    EXPECT_NEAR(static_cast<double>(s.size()) / s.back().time, 1, 0.15);
  }
}

}  // namespace
}  // namespace stream::events
