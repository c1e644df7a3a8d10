/// Every kernel that this processor can run against plain loops, for rows that fill vectors and rows that do
/// not.
#include "rl/kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rl/aligned.hpp"
#include "stream/random.hpp"

namespace stream::rl {
namespace {

Doubles noise(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Doubles out(n);
  for (double& x : out) x = random.normal();
  return out;
}

void expect_near(const Doubles& found, const Doubles& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-11) << i;
}

class KernelsOfThisProcessor : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Kernels& k = *all_kernels().at(GetParam());
};

TEST_P(KernelsOfThisProcessor, ProductsWithVectors) {
  for (const std::size_t rows : {1, 2, 5, 8, 19}) {
    for (const std::size_t cols : {8, 16, 24, 32, 56, 64}) {
      const auto w = noise(rows * cols, 1), x = noise(rows, 2), y = noise(cols, 3);
      Doubles down(cols), across(rows), expected_down(cols), expected_across(rows);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < cols; ++c) {
          expected_down[c] += x[r] * w[r * cols + c];
          expected_across[r] += w[r * cols + c] * y[c];
        }
      k.combine(w.data(), x.data(), down.data(), rows, cols);
      k.dots(w.data(), y.data(), across.data(), rows, cols);
      expect_near(down, expected_down);
      expect_near(across, expected_across);
    }
  }
}

TEST_P(KernelsOfThisProcessor, Traces) {
  for (const std::size_t rows : {1, 3, 9}) {
    for (const std::size_t cols : {8, 24, 64}) {
      constexpr std::size_t kPlaces = 5;
      const auto x = noise(kPlaces * rows, 4), d = noise(kPlaces * cols, 5);
      const Doubles z = noise(rows * cols, 6);
      Doubles once = z, shared = z, expected_once(z.size()), expected_shared(z.size());
      double norm = 0, shared_norm = 0;
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < cols; ++c) {
          double& a = expected_once[r * cols + c] = 0.7 * z[r * cols + c] + x[r] * d[c];
          double& b = expected_shared[r * cols + c] = 0.7 * z[r * cols + c];
          for (std::size_t p = 0; p < kPlaces; ++p) b += x[p * rows + r] * d[p * cols + c];
          norm += std::abs(a), shared_norm += std::abs(b);
        }
      EXPECT_NEAR(k.trace(once.data(), x.data(), d.data(), 0.7, rows, cols), norm, 1e-10);
      EXPECT_NEAR(k.shared_trace(shared.data(), x.data(), d.data(), 0.7, rows, cols, kPlaces), shared_norm,
                  1e-10);
      expect_near(once, expected_once);
      expect_near(shared, expected_shared);
    }
  }
}

TEST_P(KernelsOfThisProcessor, LayerNormAndLeakyReluForthAndBack) {
  for (const std::size_t n : {1, 2, 7, 8, 13, 32, 100}) {
    const auto x = noise(n, 7), weight = noise(n, 8);
    // The gradient by differences of sum weight[i] h[i].
    const auto value = [&](const Doubles& at, bool norm) {
      Doubles y = at, h(n);
      k.activate(y.data(), h.data(), n, norm);
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += weight[i] * h[i];
      return sum;
    };
    for (const bool norm : {true, false}) {
      Doubles y = x, h(n), d = weight;
      const double scale = k.activate(y.data(), h.data(), n, norm);
      k.activate_back(y.data(), d.data(), scale, n, norm);
      double mean = 0, square = 0;
      for (std::size_t i = 0; i < n; ++i) {
        mean += y[i] / static_cast<double>(n), square += y[i] * y[i] / static_cast<double>(n);
        EXPECT_DOUBLE_EQ(h[i], y[i] > 0 ? y[i] : 0.01 * y[i]);
        Doubles up = x, down = x;
        up[i] += 1e-6, down[i] -= 1e-6;
        EXPECT_NEAR(d[i], (value(up, norm) - value(down, norm)) / 2e-6, 1e-5 * (1 + std::abs(d[i])));
      }
      if (!norm) continue;
      EXPECT_NEAR(mean, 0, 1e-12);
      if (n > 2) {
        EXPECT_NEAR(square, 1, 1e-3);
      }
    }
  }
}

TEST_P(KernelsOfThisProcessor, TheDerivativeAtZeroIsThatBelowZero) {
  const double y[] = {0, -1, 1};
  double d[] = {1, 1, 1};
  k.activate_back(y, d, 1, 3, false);
  EXPECT_EQ(d[0], 0.01);
  EXPECT_EQ(d[1], 0.01);
  EXPECT_EQ(d[2], 1);
}

TEST_P(KernelsOfThisProcessor, Steps) {
  constexpr std::size_t kN = 24;
  const auto w = noise(kN, 9), z = noise(kN, 10);
  Doubles first = w, second = w, third = w, v(kN), m(kN), u(kN);
  k.step(first.data(), z.data(), -0.3, kN);
  for (auto& x : v) x = 0.2;
  double norm = 0;
  const double found = k.second_moment(v.data(), z.data(), 1.5, 0.9, 1.25, kN);
  k.scaled_step(second.data(), z.data(), v.data(), 0.4, 1.25, kN);
  k.adam_step(third.data(), m.data(), u.data(), z.data(), 1.5, 0.01, 10, 1000, kN);
  for (std::size_t i = 0; i < kN; ++i) {
    const double moment = 0.9 * 0.2 + 0.1 * 2.25 * z[i] * z[i];
    EXPECT_NEAR(first[i], w[i] - 0.3 * z[i], 1e-12);
    EXPECT_NEAR(v[i], moment, 1e-12);
    EXPECT_NEAR(second[i], w[i] + 0.4 * z[i] / std::sqrt(1.25 * moment + 1e-8), 1e-12);
    norm += std::abs(z[i]) / std::sqrt(1.25 * moment + 1e-8);
    // Adam's first step is its rate, against the sign of the gradient -1.5 z.
    EXPECT_NEAR(third[i], w[i] + 0.01 * (z[i] > 0 ? 1 : -1), 1e-6);
  }
  EXPECT_NEAR(found, norm, 1e-10);
}

TEST_P(KernelsOfThisProcessor, AdamOverTheWholeRangeOfMoments) {
  // Nothing learnt leaves a weight as it is to the bit; moments that nearly vanish, or nearly overflow, are
  // moments still.
  for (const double size : {0.0, 1e-150, 1e-40, 1e-12, 1e-8, 1e-3, 1.0, 1e9, 1e60, 1e140}) {
    constexpr std::size_t kN = 8;
    Doubles w(kN, 0.5), m(kN), v(kN), z(kN);
    for (std::size_t i = 0; i < kN; ++i) z[i] = size * (1 + 0.3 * static_cast<double>(i));
    k.adam_step(w.data(), m.data(), v.data(), z.data(), -2.0, 0.25, 10, 1000, kN);
    for (std::size_t i = 0; i < kN; ++i) {
      const double gradient = 2 * z[i], first = 0.1 * gradient * 10,
                   second = 0.001 * gradient * gradient * 1000;
      const double step = 0.25 * first / (std::sqrt(second) + 1e-8);
      EXPECT_NEAR(0.5 - w[i], step, 1e-14 * step + 1e-16) << size;
      if (size == 0) {
        EXPECT_EQ(w[i], 0.5);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KernelsOfThisProcessor, ::testing::Range(std::size_t{0}, all_kernels().size()));

}  // namespace
}  // namespace stream::rl
