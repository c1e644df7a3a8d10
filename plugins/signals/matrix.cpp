#include "signals/matrix.hpp"

#include <algorithm>
#include <cmath>

#include "signals/matrix_kernels.hpp"

namespace stream::signals {

Matrix Matrix::identity(std::size_t n) {
  Matrix eye(n, n);
  for (std::size_t i = 0; i < n; ++i) eye(i, i) = 1;
  return eye;
}

Matrix Matrix::of(std::span<const double> values, std::size_t rows, std::size_t cols) {
  Matrix made(rows, cols);
  for (std::size_t i = 0; i < rows; ++i)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * cols), cols, made.row(i));
  return made;
}

Matrix Matrix::random_orthogonal(std::size_t n, Random& random) {
  // The polar factor of a Gaussian matrix is distributed as its QR factor with signs made positive is: by
  // Haar.
  Matrix gaussian(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) gaussian(i, j) = random.normal();
  return polar(gaussian, identity(n));
}

std::vector<double> Matrix::packed() const {
  std::vector<double> values;
  values.reserve(rows_ * cols_);
  for (std::size_t i = 0; i < rows_; ++i) values.insert(values.end(), row(i), row(i) + cols_);
  return values;
}

Matrix Matrix::transposed() const {
  Matrix t(cols_, rows_);
  for (std::size_t i = 0; i < rows_; ++i)
    for (std::size_t j = 0; j < cols_; ++j) t(j, i) = (*this)(i, j);
  return t;
}

void multiply(const Matrix& a, const Matrix& b, Matrix& c, double alpha, double beta, bool transpose_a) {
  const std::size_t rows = transpose_a ? a.cols() : a.rows(), inner = transpose_a ? a.rows() : a.cols();
  multiply_kernel(a.row(0), transpose_a ? 1 : a.stride(), transpose_a ? a.stride() : 1, b.row(0), b.stride(),
                  c.row(0), c.stride(), rows, inner, c.stride(), alpha, beta);
}

void multiply_rows(const Matrix& a, std::size_t rows, const Matrix& b, Matrix& c) {
  multiply_kernel(a.row(0), a.stride(), 1, b.row(0), b.stride(), c.row(0), c.stride(), rows, a.cols(),
                  c.stride(), 1, 0);
}

void add(Matrix& y, double alpha, const Matrix& x) {
  for (std::size_t i = 0; i < y.values().size(); ++i) y.values()[i] += alpha * x.values()[i];
}

void scale(Matrix& x, double factor) {
  for (double& value : x.values()) value *= factor;
}

double inner_product(const Matrix& a, const Matrix& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values().size(); ++i) sum += a.values()[i] * b.values()[i];
  return sum;
}

double frobenius_norm(const Matrix& a) { return std::sqrt(inner_product(a, a)); }

double orthogonality_gap(const Matrix& a) {
  Matrix gram(a.cols(), a.cols());
  multiply(a, a, gram, 1, 0, true);
  add(gram, -1, Matrix::identity(a.cols()));
  return frobenius_norm(gram);
}

bool invert(Matrix& a, double singular) {
  const std::size_t n = a.rows();
  double greatest = 0;
  for (const double value : a.values()) greatest = std::max(greatest, std::abs(value));
  std::vector<std::size_t> swapped(n);
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    if (!(std::abs(a(pivot, k)) > singular * greatest)) return false;
    swapped[k] = pivot;
    if (pivot != k) std::swap_ranges(a.row(k), a.row(k) + a.stride(), a.row(pivot));
    const double reciprocal = 1 / a(k, k);
    a(k, k) = 1;
    for (std::size_t j = 0; j < a.stride(); ++j) a.row(k)[j] *= reciprocal;
    eliminate_kernel(a.row(0), a.stride(), n, k);
  }
  for (std::size_t k = n; k-- > 0;)
    if (swapped[k] != k)
      for (std::size_t i = 0; i < n; ++i) std::swap(a(i, k), a(i, swapped[k]));
  return true;
}

Matrix polar(const Matrix& g, const Matrix& otherwise) {
  constexpr int kMostSteps = 60;
  const std::size_t n = g.rows();
  const double norm = frobenius_norm(g);
  if (!(norm > 0)) return polar(otherwise, Matrix::identity(n));
  Matrix x = g, inverse;
  scale(x, std::sqrt(static_cast<double>(n)) / norm);
  bool scaling = true, whole = false;
  for (int step = 0; step < kMostSteps; ++step) {
    inverse = x;
    // What is smaller than this in g comes out with too few digits.
    constexpr double kSingular = 1e-8;
    if (!invert(inverse, whole ? 1e-15 : kSingular)) {
      // A little of what was there before decides.
      constexpr double kLittle = 1e-6;
      x = g;
      scale(x, std::sqrt(static_cast<double>(n)) / norm);
      add(x, kLittle * std::pow(10.0, step), otherwise);
      continue;
    }
    whole = true;
    const double c = scaling ? std::sqrt(frobenius_norm(inverse) / frobenius_norm(x)) : 1;
    double moved = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const double next = 0.5 * (c * x(i, j) + inverse(j, i) / c);
        moved += (next - x(i, j)) * (next - x(i, j));
        x(i, j) = next;
      }
    }
    // Quadratic from here on: one step more reaches rounding.
    const double change = std::sqrt(moved / static_cast<double>(n));
    if (!scaling && change < 1e-8) break;
    scaling = scaling && change > 1e-2;
  }
  // One step of Newton and Schulz, x (3 I - x^T x) / 2, takes out what the inverses rounded.
  Matrix gram(n, n), polished(n, n);
  multiply(x, x, gram, -0.5, 0, true);
  for (std::size_t i = 0; i < n; ++i) gram(i, i) += 1.5;
  multiply(x, gram, polished);
  return polished;
}

double spectral_norm(const Matrix& a) {
  // (a^T a)^(2^44) by repeated squaring: its norm is that power of the greatest eigenvalue, but for a factor
  // that the root takes away.
  Matrix gram(a.cols(), a.cols()), square(a.cols(), a.cols());
  multiply(a, a, gram, 1, 0, true);
  double log_scale = 0, power = 1;
  for (int i = 0; i < 44; ++i) {
    const double norm = frobenius_norm(gram);
    if (!(norm > 0)) return 0;
    log_scale += std::log(norm) / power;
    scale(gram, 1 / norm);
    multiply(gram, gram, square, 1, 0, true);
    std::swap(gram, square);
    power *= 2;
  }
  return std::exp((log_scale + std::log(frobenius_norm(gram)) / power) / 2);
}

}  // namespace stream::signals
