/// Small dense matrices of doubles, and the products that learning a dictionary is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/random.hpp"

namespace stream::signals {

/// Row-major; rows lie `stride` apart, a multiple of kLane, and what pads them is zero.
class Matrix {
 public:
  static constexpr std::size_t kLane = 8;
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols)
      : rows_(rows), cols_(cols), stride_((cols + kLane - 1) / kLane * kLane), values_(rows * stride_) {}
  static Matrix identity(std::size_t n);
  /// Uniformly distributed over the orthogonal matrices.
  static Matrix random_orthogonal(std::size_t n, Random& random);
  /// values: rows * cols.
  static Matrix of(std::span<const double> values, std::size_t rows, std::size_t cols);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride() const { return stride_; }
  double* row(std::size_t i) { return values_.data() + i * stride_; }
  const double* row(std::size_t i) const { return values_.data() + i * stride_; }
  double& operator()(std::size_t i, std::size_t j) { return values_[i * stride_ + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values_[i * stride_ + j]; }
  std::span<double> values() { return values_; }
  std::span<const double> values() const { return values_; }
  /// Without padding.
  std::vector<double> packed() const;
  Matrix transposed() const;

 private:
  std::size_t rows_ = 0, cols_ = 0, stride_ = 0;
  std::vector<double> values_;
};

/// c = beta c + alpha a b, in one order of summation whatever the number of rows. `transpose_a`: a^T instead.
/// c must have its size already.
void multiply(const Matrix& a, const Matrix& b, Matrix& c, double alpha = 1, double beta = 0,
              bool transpose_a = false);
/// Of the first `rows` rows of a.
void multiply_rows(const Matrix& a, std::size_t rows, const Matrix& b, Matrix& c);
/// y += alpha x, over all values.
void add(Matrix& y, double alpha, const Matrix& x);
void scale(Matrix& x, double factor);
double inner_product(const Matrix& a, const Matrix& b);
double frobenius_norm(const Matrix& a);
/// ||a^T a - I||_F
double orthogonality_gap(const Matrix& a);

/// In place, by Gauss and Jordan with partial pivoting; false, and a of no use, when a pivot is below
/// `singular` times the greatest value.
bool invert(Matrix& a, double singular = 1e-13);
/// The orthogonal factor of g = U S V^T, U V^T, by Newton's iteration with scaling (Higham, 1986). Where g
/// says nothing, for it is singular, the factor turns to that of `otherwise`.
Matrix polar(const Matrix& g, const Matrix& otherwise);
/// Greatest singular value.
double spectral_norm(const Matrix& a);

}  // namespace stream::signals
