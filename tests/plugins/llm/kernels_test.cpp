#include "llm/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/weight_memory.hpp"
#include "stream/half.hpp"
#include "stream/random.hpp"

namespace stream::llm {
namespace {

std::vector<float> normals(std::int64_t n, Random& random) {
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& v : out) v = static_cast<float>(random.normal());
  return out;
}

class EveryKernel : public ::testing::TestWithParam<const Kernels*> {};
INSTANTIATE_TEST_SUITE_P(InstructionSets, EveryKernel, ::testing::ValuesIn(all_kernels()),
                         [](const auto& info) { return std::to_string(info.index); });

TEST_P(EveryKernel, Products) {
  const Kernels& k = *GetParam();
  Random random(1);
  for (const std::int64_t cols : {1, 6, 15, 16, 17, 32, 50, 64, 200})
    for (const std::int64_t rows : {1, 3, 4, 9}) {
      const auto w = normals(rows * cols, random), x = normals(cols, random);
      std::vector<std::uint16_t> bf, half;
      for (const float v : w) bf.push_back(bfloat_of_float(v)), half.push_back(half_of_float(v));
      std::vector<float> y(static_cast<std::size_t>(rows)), z(y), u(y);
      k.product_f32(w.data(), x.data(), y.data(), rows, cols);
      k.product_bf16(bf.data(), x.data(), z.data(), rows, cols);
      k.product_f16(half.data(), x.data(), u.data(), rows, cols);
      std::vector<float> wide(w.size()), wider(w.size());
      k.widen_bf16(bf.data(), wide.data(), rows * cols);
      k.widen_f16(half.data(), wider.data(), rows * cols);
      for (std::size_t i = 0; i < w.size(); ++i) {
        EXPECT_EQ(wide[i], float_of_bfloat(bf[i]));
        EXPECT_EQ(wider[i], float_of_half(half[i]));
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        double a = 0, b = 0, c = 0;
        for (std::int64_t i = 0; i < cols; ++i) {
          const auto at = static_cast<std::size_t>(r * cols + i);
          a += static_cast<double>(w[at]) * x[static_cast<std::size_t>(i)];
          b += static_cast<double>(wide[at]) * x[static_cast<std::size_t>(i)];
          c += static_cast<double>(wider[at]) * x[static_cast<std::size_t>(i)];
        }
        EXPECT_NEAR(y[static_cast<std::size_t>(r)], a, 2e-5);
        EXPECT_NEAR(z[static_cast<std::size_t>(r)], b, 2e-5);
        EXPECT_NEAR(u[static_cast<std::size_t>(r)], c, 2e-5);
      }
    }
}

/// Activations [tokens, cols] as a table rounds them.
std::vector<ActivationGroup> rounded(const Kernels& k, const std::vector<float>& x, std::int64_t tokens,
                                     std::int64_t cols) {
  const std::int64_t groups = (cols + kGroup - 1) / kGroup;
  std::vector<ActivationGroup> out(static_cast<std::size_t>(tokens * groups));
  for (std::int64_t t = 0; t < tokens; ++t) k.quantise(x.data() + t * cols, out.data() + t * groups, cols);
  return out;
}

TEST_P(EveryKernel, ProductsOfBytes) {
  const Kernels& k = *GetParam();
  Random random(2);
  for (const std::int64_t tokens : {1, 5, 19, 140})
    for (const std::int64_t rows : {16, 23})
      for (const std::int64_t cols : {32, 70}) {
        const std::int64_t groups = (cols + kGroup - 1) / kGroup,
                           row_tiles = (rows + kTileRows - 1) / kTileRows;
        std::vector<ByteTile> w(static_cast<std::size_t>(row_tiles * groups));
        for (ByteTile& tile : w)
          for (auto& v : tile.bytes) v = static_cast<std::uint8_t>(1 + random.below(255));
        std::vector<std::uint16_t> scales;
        for (std::size_t i = 0; i < w.size() * kTileRows; ++i)
          scales.push_back(half_of_float(static_cast<float>(random.normal())));
        auto x = normals(tokens * cols, random);
        x[3] = 40;  // one that stands out, and the sign that is not symmetric
        x[4] = -40;
        std::vector<float> y(static_cast<std::size_t>(tokens * rows), 7.0f);
        k.product_i8(w.data(), scales.data(), rounded(k, x, tokens, cols).data(), y.data(), tokens, rows,
                     groups);
        for (std::int64_t t = 0; t < tokens; ++t)
          for (std::int64_t r = 0; r < rows; ++r) {
            // Against what 16 bits in groups of 32 make of the activations, and these against what they were.
            double sum = 0, size = 0, ties = 0;
            for (std::int64_t g = 0; g < groups; ++g) {
              double most = 0;
              const auto tile = static_cast<std::size_t>(r / kTileRows * groups + g);
              const std::int64_t count = std::min(kGroup, cols - g * kGroup);
              const float* const group = x.data() + t * cols + g * kGroup;
              for (std::int64_t c = 0; c < count; ++c)
                most = std::max(most, std::abs(static_cast<double>(group[c])));
              for (std::int64_t c = 0; c < count; ++c) {
                const int byte = w[tile].bytes[c / 4 * 64 + r % kTileRows * 4 + c % 4] - 128;
                const double weight =
                    byte * static_cast<double>(float_of_half(
                               scales[tile * kTileRows + static_cast<std::size_t>(r % kTileRows)]));
                const double step = most / 32639, q = std::nearbyint(group[c] / step) * step;
                EXPECT_LE(std::abs(q - static_cast<double>(group[c])), 0.5 * step + 1e-12);
                sum += weight * q;
                size += std::abs(weight * q);
                // So near a half that float32 may round to the other side.
                const double over = std::abs(group[c] / step) - std::floor(std::abs(group[c] / step));
                if (std::abs(over - 0.5) < 0.01) ties += std::abs(weight * step);
              }
            }
            EXPECT_NEAR(y[static_cast<std::size_t>(t * rows + r)], sum, 1e-6 * size + ties)
                << t << ' ' << r << " of " << tokens << ' ' << rows << ' ' << cols;
          }
      }
}

TEST_P(EveryKernel, ATokensBytesDoNotDependOnTheOthers) {
  const Kernels& k = *GetParam();
  Random random(6);
  constexpr std::int64_t kTokens = 150, kRows = 40, kCols = 100, kGroups = 4;
  std::vector<ByteTile> w(3 * kGroups);
  for (ByteTile& tile : w)
    for (auto& v : tile.bytes) v = static_cast<std::uint8_t>(random.below(256));
  std::vector<std::uint16_t> scales;
  for (std::size_t i = 0; i < w.size() * kTileRows; ++i)
    scales.push_back(half_of_float(static_cast<float>(random.normal())));
  auto x = normals(kTokens * kCols, random);
  std::fill_n(x.begin() + kCols, kGroup, 0.0f);
  const auto activations = rounded(k, x, kTokens, kCols);
  std::vector<float> all(kTokens * kRows), one(kRows);
  k.product_i8(w.data(), scales.data(), activations.data(), all.data(), kTokens, kRows, kGroups);
  for (std::int64_t t = 0; t < kTokens; ++t) {
    k.product_i8(w.data(), scales.data(), activations.data() + t * kGroups, one.data(), 1, kRows, kGroups);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + t * kRows)) << t;
  }
  // What is no number stays none, in its own token.
  x[0] = std::numeric_limits<float>::infinity();
  k.product_i8(w.data(), scales.data(), rounded(k, x, 2, kCols).data(), all.data(), 2, kRows, kGroups);
  for (std::int64_t r = 0; r < kRows; ++r) {
    EXPECT_TRUE(std::isnan(all[static_cast<std::size_t>(r)]));
    EXPECT_TRUE(std::isfinite(all[static_cast<std::size_t>(kRows + r)]));
  }
}

TEST_P(EveryKernel, SoftmaxOfAnyLength) {
  const Kernels& k = *GetParam();
  Random random(3);
  for (std::int64_t n = 1; n < 70; ++n)
    for (const float more : {-std::numeric_limits<float>::infinity(), 0.0f}) {
      auto x = normals(n, random);
      if (n > 3) x[2] = -1e30f;
      std::vector<double> e;
      double sum = more < -1e30f ? 0 : 1;
      for (const float v : x) e.push_back(std::exp(static_cast<double>(v))), sum += e.back();
      k.softmax(x.data(), n, more);
      for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], e[i] / sum, 1e-6);
      if (n > 3) {
        EXPECT_EQ(x[2], 0.0f);
      }
    }
}

TEST_P(EveryKernel, RowsInParts) {
  const Kernels& k = *GetParam();
  Random random(4);
  for (const std::int64_t cols : {5, 16, 64, 200}) {
    const auto p = normals(9, random), v = normals(9 * cols, random);
    std::vector<float> whole(static_cast<std::size_t>(cols)), parts(whole);
    k.combine(p.data(), v.data(), whole.data(), 9, cols);
    k.combine(p.data(), v.data(), parts.data(), 4, cols);
    k.combine(p.data() + 4, v.data() + 4 * cols, parts.data(), 5, cols);
    EXPECT_EQ(whole, parts) << "the order of a sum must not depend on where rows are parted";
    for (std::int64_t c = 0; c < cols; ++c) {
      double sum = 0;
      for (std::int64_t r = 0; r < 9; ++r)
        sum +=
            static_cast<double>(p[static_cast<std::size_t>(r)]) * v[static_cast<std::size_t>(r * cols + c)];
      EXPECT_NEAR(whole[static_cast<std::size_t>(c)], sum, 1e-5);
    }
  }
}

TEST_P(EveryKernel, SmallOnes) {
  const Kernels& k = *GetParam();
  Random random(5);
  for (const std::int64_t n : {3, 16, 37}) {
    const auto x = normals(n, random);
    auto silu = x, sigmoids = x;
    k.silu(silu.data(), n);
    const float sum = k.sigmoids(sigmoids.data(), n, 1.5f);
    double expected = 0, all = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(silu[i], x[i] / (1 + std::exp(-static_cast<double>(x[i]))), 1e-6);
      const double s = 1 / (1 + std::exp(1.5 - static_cast<double>(x[i])));
      EXPECT_NEAR(sigmoids[i], s, 1e-6);
      expected += s;
      all += x[i];
    }
    EXPECT_NEAR(sum, expected, 1e-5);
    EXPECT_NEAR(k.read(x.data(), n), all, 1e-5);
    auto turned = x;
    std::vector<float> turn(static_cast<std::size_t>(n), 0.6f);
    for (std::int64_t i = n / 2; i < n; ++i) turn[static_cast<std::size_t>(i)] = 0.8f;
    k.rotate(turned.data(), turn.data(), n / 2);
    for (std::int64_t i = 0; i < n / 2; ++i) {
      const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(i + n / 2);
      EXPECT_NEAR(turned[a], x[a] * 0.6f - x[b] * 0.8f, 1e-6);
      EXPECT_NEAR(turned[b], x[b] * 0.6f + x[a] * 0.8f, 1e-6);
    }
  }
}

TEST(WeightMemory, WhatIsTakenLiesApartAndAligned) {
  WeightMemory memory;
  std::vector<std::pair<char*, std::size_t>> taken;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{70'000}, std::size_t{3} << 20,
                                  std::size_t{64}, std::size_t{5} << 20, std::size_t{9}}) {
    auto* const p = static_cast<char*>(memory.take(bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0U);
    std::fill_n(p, bytes, static_cast<char>(taken.size()));
    taken.emplace_back(p, bytes);
  }
  for (std::size_t i = 0; i < taken.size(); ++i)
    EXPECT_EQ(std::count(taken[i].first, taken[i].first + taken[i].second, static_cast<char>(i)),
              static_cast<std::ptrdiff_t>(taken[i].second));
}

}  // namespace
}  // namespace stream::llm
