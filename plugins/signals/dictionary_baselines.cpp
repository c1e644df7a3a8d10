#include "signals/dictionary_baselines.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "signals/matrix_kernels.hpp"

namespace stream::signals {

namespace {

/// Rows [begin, begin + count) of a matrix.
Matrix rows_of(const Matrix& all, std::size_t begin, std::size_t count) {
  Matrix some(count, all.cols());
  for (std::size_t i = 0; i < count; ++i) std::copy_n(all.row(begin + i), all.stride(), some.row(i));
  return some;
}

void normalise_column(Matrix& d, std::size_t j) {
  double norm = 0;
  for (std::size_t i = 0; i < d.rows(); ++i) norm += d(i, j) * d(i, j);
  norm = std::sqrt(norm);
  if (norm > 0)
    for (std::size_t i = 0; i < d.rows(); ++i) d(i, j) /= norm;
}

/// Orthogonal matching pursuit of one vector: atom after atom, all coefficients fitted anew (normal equations
/// by Cholesky's method). Returns the squared norm of what is left.
double pursue(const double* y, const Matrix& d, std::size_t terms, std::vector<std::size_t>& chosen,
              std::vector<double>& coefficients) {
  const std::size_t n = d.rows();
  chosen.clear();
  std::vector<double> residual(y, y + n);
  double left = 0;
  for (std::size_t k = 0; k < terms; ++k) {
    std::size_t best = 0;
    double most = -1;
    for (std::size_t j = 0; j < d.cols(); ++j) {
      if (std::find(chosen.begin(), chosen.end(), j) != chosen.end()) continue;
      double product = 0;
      for (std::size_t i = 0; i < n; ++i) product += d(i, j) * residual[i];
      if (std::abs(product) > most) most = std::abs(product), best = j;
    }
    chosen.push_back(best);
    const std::size_t m = chosen.size();
    std::vector<double> l(m * m), b(m);
    for (std::size_t a = 0; a < m; ++a) {
      for (std::size_t i = 0; i < n; ++i) b[a] += d(i, chosen[a]) * y[i];
      for (std::size_t c = 0; c <= a; ++c) {
        double sum = a == c ? 1e-12 : 0;
        for (std::size_t i = 0; i < n; ++i) sum += d(i, chosen[a]) * d(i, chosen[c]);
        for (std::size_t q = 0; q < c; ++q) sum -= l[a * m + q] * l[c * m + q];
        l[a * m + c] = a == c ? std::sqrt(std::max(sum, 1e-12)) : sum / l[c * m + c];
      }
    }
    for (std::size_t a = 0; a < m; ++a) {
      for (std::size_t c = 0; c < a; ++c) b[a] -= l[a * m + c] * b[c];
      b[a] /= l[a * m + a];
    }
    for (std::size_t a = m; a-- > 0;) {
      for (std::size_t c = a + 1; c < m; ++c) b[a] -= l[c * m + a] * b[c];
      b[a] /= l[a * m + a];
    }
    residual.assign(y, y + n);
    for (std::size_t a = 0; a < m; ++a)
      for (std::size_t i = 0; i < n; ++i) residual[i] -= b[a] * d(i, chosen[a]);
    coefficients = b;
    left = std::inner_product(residual.begin(), residual.end(), residual.begin(), 0.0);
  }
  return left;
}

}  // namespace

Matrix projected_gradient(const Matrix& vectors, std::size_t batch, double step, Matrix d) {
  const std::size_t n = vectors.cols();
  Matrix z(batch, n);
  std::int64_t t = 0;
  for (std::size_t at = 0; at + batch <= vectors.rows(); at += batch) {
    ++t;
    const Matrix y = rows_of(vectors, at, batch);
    multiply(y, d, z);
    spike_kernel(z.row(0), z.row(0), z.values().size(), 3);
    multiply(y, z, d, step / std::sqrt(static_cast<double>(t)) / static_cast<double>(batch), 1, true);
    d = polar(d, d);
  }
  return d;
}

Matrix batch_ascent(const Matrix& vectors, int power, int rounds, Matrix d) {
  const std::size_t n = vectors.cols();
  Matrix z(vectors.rows(), n), g(n, n);
  for (int round = 0; round < rounds; ++round) {
    multiply(vectors, d, z);
    spike_kernel(z.row(0), z.row(0), z.values().size(), power);
    multiply(vectors, z, g, 1.0 / static_cast<double>(vectors.rows()), 0, true);
    d = polar(g, d);
  }
  return d;
}

Matrix principal_components(const Matrix& vectors) {
  const std::size_t n = vectors.cols();
  Matrix a(n, n), v = Matrix::identity(n);
  multiply(vectors, vectors, a, 1.0 / static_cast<double>(vectors.rows()), 0, true);
  // Jacobi's rotations.
  for (int sweep = 0; sweep < 30; ++sweep) {
    double off = 0;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        off += a(p, q) * a(p, q);
        if (a(p, q) == 0) continue;
        const double theta = (a(q, q) - a(p, p)) / (2 * a(p, q));
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = a(k, p), kq = a(k, q);
          a(k, p) = c * kp - s * kq, a(k, q) = s * kp + c * kq;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double pk = a(p, k), qk = a(q, k);
          a(p, k) = c * pk - s * qk, a(q, k) = s * pk + c * qk;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = v(k, p), kq = v(k, q);
          v(k, p) = c * kp - s * kq, v(k, q) = s * kp + c * kq;
        }
      }
    }
    if (off < 1e-24 * inner_product(a, a)) break;
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t p, std::size_t q) { return a(p, p) > a(q, q); });
  Matrix sorted(n, n);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = 0; i < n; ++i) sorted(i, j) = v(i, order[j]);
  return sorted;
}

Matrix l1_dictionary(const Matrix& vectors, std::size_t batch, double penalty, Matrix d) {
  const std::size_t n = vectors.cols();
  Matrix a(n, n), b(n, n), gram(n, n), x(batch, n), projected(batch, n);
  double t = 0;
  for (std::size_t at = 0; at + batch <= vectors.rows(); at += batch) {
    const Matrix y = rows_of(vectors, at, batch);
    multiply(d, d, gram, 1, 0, true);
    multiply(y, d, projected);
    std::fill(x.values().begin(), x.values().end(), 0.0);
    for (std::size_t r = 0; r < batch; ++r) {
      // Coordinate descent for 1/2 ||y - D x||^2 + penalty |x|_1.
      for (int sweep = 0; sweep < 20; ++sweep) {
        double moved = 0;
        for (std::size_t j = 0; j < n; ++j) {
          double fit = projected(r, j);
          for (std::size_t k = 0; k < n; ++k) fit -= k == j ? 0 : gram(j, k) * x(r, k);
          const double next = gram(j, j) > 1e-12
                                  ? std::copysign(std::max(0.0, std::abs(fit) - penalty), fit) / gram(j, j)
                                  : 0;
          moved = std::max(moved, std::abs(next - x(r, j)));
          x(r, j) = next;
        }
        if (moved < 1e-6) break;
      }
    }
    // Early statistics, of bad codes, are forgotten (section 3.4.2 of that paper).
    ++t;
    const auto eta = static_cast<double>(batch);
    const double theta = t < eta ? t * eta : eta * eta + t - eta, keep = (theta + 1 - eta) / (theta + 1);
    multiply(x, x, a, 1, keep, true);
    multiply(y, x, b, 1, keep, true);
    for (std::size_t j = 0; j < n; ++j) {
      if (a(j, j) < 1e-12) continue;
      for (std::size_t i = 0; i < n; ++i) {
        double product = 0;
        for (std::size_t k = 0; k < n; ++k) product += d(i, k) * a(k, j);
        x(0, i) = d(i, j) + (b(i, j) - product) / a(j, j);
      }
      double norm = 0;
      for (std::size_t i = 0; i < n; ++i) norm += x(0, i) * x(0, i);
      norm = std::max(1.0, std::sqrt(norm));
      for (std::size_t i = 0; i < n; ++i) d(i, j) = x(0, i) / norm;
    }
  }
  for (std::size_t j = 0; j < n; ++j) normalise_column(d, j);
  return d;
}

Matrix ksvd(const Matrix& vectors, std::size_t terms, int rounds, Matrix d) {
  const std::size_t n = vectors.cols(), count = vectors.rows();
  std::vector<std::size_t> chosen;
  std::vector<double> coefficients;
  Matrix x(count, n);
  for (int round = 0; round < rounds; ++round) {
    std::fill(x.values().begin(), x.values().end(), 0.0);
    Matrix residual = vectors;
    for (std::size_t t = 0; t < count; ++t) {
      pursue(vectors.row(t), d, terms, chosen, coefficients);
      for (std::size_t k = 0; k < chosen.size(); ++k) {
        x(t, chosen[k]) = coefficients[k];
        for (std::size_t i = 0; i < n; ++i) residual(t, i) -= coefficients[k] * d(i, chosen[k]);
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      // The best rank-1 change of atom and coefficients, by a few steps of alternation.
      std::vector<std::size_t> users;
      for (std::size_t t = 0; t < count; ++t)
        if (x(t, j) != 0) users.push_back(t);
      if (users.empty()) continue;
      for (const std::size_t t : users)
        for (std::size_t i = 0; i < n; ++i) residual(t, i) += x(t, j) * d(i, j);
      for (int step = 0; step < 3; ++step) {
        std::vector<double> atom(n);
        for (const std::size_t t : users)
          for (std::size_t i = 0; i < n; ++i) atom[i] += x(t, j) * residual(t, i);
        for (std::size_t i = 0; i < n; ++i) d(i, j) = atom[i];
        normalise_column(d, j);
        for (const std::size_t t : users) {
          x(t, j) = 0;
          for (std::size_t i = 0; i < n; ++i) x(t, j) += d(i, j) * residual(t, i);
        }
      }
      for (const std::size_t t : users)
        for (std::size_t i = 0; i < n; ++i) residual(t, i) -= x(t, j) * d(i, j);
    }
  }
  return d;
}

double sparse_error(const Matrix& vectors, const Matrix& dictionary, std::size_t terms) {
  Matrix x(vectors.rows(), dictionary.cols());
  multiply(vectors, dictionary, x);
  // What is not kept is lost, also what lies outside of the span of fewer than n atoms.
  double lost = inner_product(vectors, vectors);
  std::vector<double> squares(x.cols());
  for (std::size_t t = 0; t < x.rows(); ++t) {
    for (std::size_t j = 0; j < x.cols(); ++j) squares[j] = x(t, j) * x(t, j);
    std::sort(squares.begin(), squares.end(), std::greater<>());
    for (std::size_t j = 0; j < std::min(terms, x.cols()); ++j) lost -= squares[j];
  }
  return lost / static_cast<double>(vectors.rows() * vectors.cols());
}

double pursuit_error(const Matrix& vectors, const Matrix& dictionary, std::size_t terms) {
  std::vector<std::size_t> chosen;
  std::vector<double> coefficients;
  double lost = 0;
  for (std::size_t t = 0; t < vectors.rows(); ++t)
    lost += pursue(vectors.row(t), dictionary, terms, chosen, coefficients);
  return lost / static_cast<double>(vectors.rows() * vectors.cols());
}

}  // namespace stream::signals
