#include "nn/dense.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/multiply_adds.hpp"
#include "stream/random.hpp"

namespace stream::nn {
namespace {

std::vector<float> random(std::int64_t n, std::uint64_t seed) {
  Random source(seed);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& x : out) x = static_cast<float>(source.normal());
  return out;
}

/// For each instruction set that this processor has.
class Dense : public ::testing::TestWithParam<const DenseKernels*> {
 protected:
  const DenseKernels& kernels() const { return *GetParam(); }
};

TEST_P(Dense, ProductsOfAnyShape) {
  for (const std::int64_t rows : {1, 2, 3, 4, 5, 9})
    for (const std::int64_t inner : {1, 7, 24})
      for (const std::int64_t cols : {1, 15, 16, 17, 24, 32, 33, 80}) {
        const std::int64_t lda = inner + 3, ldb = padded(cols) + 16, ldc = padded(cols) + 1;
        const auto a = random(rows * lda, 1), b = random(inner * ldb, 2), bias = random(padded(cols), 3);
        std::vector<float> c(static_cast<std::size_t>(rows * ldc + kPad)), shifted = c;
        kernels().product(a.data(), lda, b.data(), ldb, kTile, nullptr, c.data(), ldc, rows, inner, cols);
        kernels().product(a.data(), lda, b.data(), ldb, kTile, bias.data(), shifted.data(), ldc, rows, inner,
                          cols);
        for (std::int64_t r = 0; r < rows; ++r)
          for (std::int64_t j = 0; j < cols; ++j) {
            double expected = 0;
            for (std::int64_t i = 0; i < inner; ++i)
              expected += static_cast<double>(a[static_cast<std::size_t>(r * lda + i)]) *
                          b[static_cast<std::size_t>(i * ldb + j)];
            const auto at = static_cast<std::size_t>(r * ldc + j);
            ASSERT_NEAR(c[at], expected, 2e-5) << rows << ' ' << inner << ' ' << cols;
            ASSERT_NEAR(shifted[at], expected + bias[static_cast<std::size_t>(j)], 2e-5);
          }
      }
}

TEST_P(Dense, ARowIsTheSameInWhateverCompany) {
  const std::int64_t inner = 40, cols = 96;
  const auto a = random(9 * inner, 1), b = random(inner * cols, 2);
  std::vector<float> together(9 * cols), alone(cols);
  kernels().product(a.data(), inner, b.data(), cols, kTile, nullptr, together.data(), cols, 9, inner, cols);
  for (std::int64_t r = 0; r < 9; ++r) {
    kernels().product(a.data() + r * inner, inner, b.data(), cols, kTile, nullptr, alone.data(), cols, 1,
                      inner, cols);
    for (std::int64_t j = 0; j < cols; ++j)
      ASSERT_EQ(alone[static_cast<std::size_t>(j)], together[static_cast<std::size_t>(r * cols + j)]);
  }
}

TEST_P(Dense, ElementwiseFunctionsOverTheWholeRange) {
  std::vector<float> x;
  for (int i = -1600; i < 1600; ++i) x.push_back(static_cast<float>(i) * 0.0625f);
  auto y = x;
  kernels().silu(y.data(), static_cast<std::int64_t>(y.size()));
  auto positive = x;
  kernels().relu(positive.data(), static_cast<std::int64_t>(positive.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = x[i] / (1 + std::exp(-static_cast<double>(x[i])));
    ASSERT_NEAR(y[i], expected, 1e-6 * (1 + std::abs(expected))) << x[i];
    ASSERT_EQ(positive[i], std::max(x[i], 0.0f));
  }
}

TEST_P(Dense, SoftmaxSumsToOneAndHidesWhatIsFarBelow) {
  for (const std::int64_t n : {1, 3, 16, 17, 50}) {
    auto x = random(padded(n), 4);
    x[0] = n > 1 ? -1e30f : x[0];
    const auto before = x;
    kernels().softmax(x.data(), n);
    double total = 0, expected = 0;
    for (std::int64_t i = 0; i < n; ++i)
      expected += std::exp(static_cast<double>(before[static_cast<std::size_t>(i)]));
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_NEAR(x[at], std::exp(static_cast<double>(before[at])) / expected, 1e-6) << n;
      total += x[at];
    }
    EXPECT_NEAR(total, 1, 1e-6);
  }
}

TEST_P(Dense, NormalisesEachRowAndTouchesNoOther) {
  const std::int64_t rows = 3, cols = 21, ld = 32;
  const auto x = random(rows * ld, 5), weight = random(padded(cols), 6), bias = random(padded(cols), 7);
  std::vector<float> y(rows * ld, 9.0f);
  kernels().layer_norm(x.data(), weight.data(), bias.data(), y.data(), ld, rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* const row = x.data() + r * ld;
    double mean = 0, squares = 0;
    for (std::int64_t j = 0; j < cols; ++j) mean += row[j] / static_cast<double>(cols);
    for (std::int64_t j = 0; j < cols; ++j)
      squares += (row[j] - mean) * (row[j] - mean) / static_cast<double>(cols);
    for (std::int64_t j = 0; j < ld; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const double expected =
          j < cols ? (row[j] - mean) / std::sqrt(squares + 1e-5) * weight[at] + bias[at] : 9.0;
      ASSERT_NEAR(y[static_cast<std::size_t>(r * ld + j)], expected, 1e-5);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Dense, ::testing::ValuesIn(all_dense_kernels()),
                         [](const auto& info) { return std::to_string(info.index); });

TEST(DenseLinear, IsTheMatrixProductAndIsCounted) {
  const std::int64_t in = 20, out = 45, rows = 3;
  const auto weight = random(out * in, 1), bias = random(out, 2), x = random(rows * in, 3);
  const DenseLinear layer(weight, bias, out, in);
  std::vector<float> y(rows * 64);
  const MultiplyAdds adds;
  layer.forward(x.data(), in, y.data(), 64, rows);
  EXPECT_EQ(adds.count(), rows * in * out);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t o = 0; o < out; ++o) {
      double expected = bias[static_cast<std::size_t>(o)];
      for (std::int64_t i = 0; i < in; ++i)
        expected += static_cast<double>(x[static_cast<std::size_t>(r * in + i)]) *
                    weight[static_cast<std::size_t>(o * in + i)];
      ASSERT_NEAR(y[static_cast<std::size_t>(r * 64 + o)], expected, 2e-5);
    }
  EXPECT_THROW(DenseLinear(weight, bias, out, in + 1), std::logic_error);
}

}  // namespace
}  // namespace stream::nn
