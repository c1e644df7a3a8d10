/// Products, inverses and polar factors against plain arithmetic.
#include "signals/matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace stream::signals {
namespace {

Matrix gaussian(std::size_t rows, std::size_t cols, Random& random) {
  Matrix made(rows, cols);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < cols; ++j) made(i, j) = random.normal();
  return made;
}

double difference(const Matrix& a, const Matrix& b) {
  Matrix rest = a;
  add(rest, -1, b);
  return frobenius_norm(rest);
}

TEST(Matrix, ProductsOfEverySize) {
  Random random(1);
  for (const std::size_t m : {1, 3, 4, 9, 16})
    for (const std::size_t k : {1, 5, 20})
      for (const std::size_t n : {1, 7, 8, 17, 40}) {
        const Matrix a = gaussian(m, k, random), b = gaussian(k, n, random), c = gaussian(m, n, random);
        Matrix plain(m, n), sum = c;
        for (std::size_t i = 0; i < m; ++i)
          for (std::size_t j = 0; j < n; ++j) {
            double product = 0;
            for (std::size_t q = 0; q < k; ++q) product += a(i, q) * b(q, j);
            plain(i, j) = 0.5 * c(i, j) + 2 * product;
          }
        multiply(a, b, sum, 2, 0.5);
        EXPECT_LT(difference(sum, plain), 1e-12) << m << ' ' << k << ' ' << n;
        Matrix again = c;
        multiply(a.transposed(), b, again, 2, 0.5, true);
        EXPECT_LT(difference(again, plain), 1e-12);
      }
}

/// A vector's products are the same in whatever mini-batch it stands.
TEST(Matrix, RowsDoNotDependOnTheirNumber) {
  Random random(2);
  const Matrix a = gaussian(7, 20, random), b = gaussian(20, 24, random);
  Matrix all(7, 24), one(1, 24), row(1, 20);
  multiply(a, b, all);
  for (std::size_t i = 0; i < 7; ++i) {
    std::copy_n(a.row(i), 20, row.row(0));
    multiply(row, b, one);
    for (std::size_t j = 0; j < 24; ++j) EXPECT_EQ(one(0, j), all(i, j));
  }
}

TEST(Matrix, Inverse) {
  Random random(3);
  for (const std::size_t n : {1, 2, 9, 33}) {
    const Matrix a = gaussian(n, n, random);
    Matrix inverse = a, product(n, n);
    ASSERT_TRUE(invert(inverse));
    multiply(a, inverse, product);
    EXPECT_LT(difference(product, Matrix::identity(n)), 1e-9);
  }
  Matrix singular(3, 3);
  singular(0, 0) = singular(1, 1) = 1;
  EXPECT_FALSE(invert(singular));
}

TEST(Polar, FactorsAreOrthogonalAndTheRestSymmetricPositive) {
  Random random(4);
  for (const std::size_t n : {1, 5, 20, 64}) {
    const Matrix g = gaussian(n, n, random), u = polar(g, Matrix::identity(n));
    EXPECT_LT(orthogonality_gap(u), 1e-12);
    Matrix h(n, n);
    multiply(u, g, h, 1, 0, true);
    EXPECT_LT(difference(h, h.transposed()), 1e-9 * frobenius_norm(g));
    // <G, polar(G)> is the nuclear norm: no orthogonal matrix has a greater product with G.
    for (int i = 0; i < 10; ++i)
      EXPECT_GE(inner_product(g, u), inner_product(g, Matrix::random_orthogonal(n, random)) - 1e-9);
  }
}

TEST(Polar, OfSingularMatricesKeepsWhatIsUndecided) {
  Random random(5);
  const Matrix before = Matrix::random_orthogonal(6, random);
  // Rank one, along an atom of `before`.
  Matrix g(6, 6);
  for (std::size_t i = 0; i < 6; ++i) g(i, 2) = 3 * before(i, 2);
  const Matrix u = polar(g, before);
  EXPECT_LT(orthogonality_gap(u), 1e-12);
  EXPECT_LT(difference(u, before), 1e-6);
  EXPECT_LT(difference(polar(Matrix(6, 6), before), before), 1e-12);
}

TEST(Matrix, SpectralNorm) {
  Random random(6);
  EXPECT_NEAR(spectral_norm(Matrix::random_orthogonal(10, random)), 1, 1e-12);
  Matrix diagonal(4, 4);
  diagonal(0, 0) = -3, diagonal(1, 1) = 2.9999;
  EXPECT_NEAR(spectral_norm(diagonal), 3, 1e-9);
  EXPECT_EQ(spectral_norm(Matrix(3, 3)), 0);
}

}  // namespace
}  // namespace stream::signals
