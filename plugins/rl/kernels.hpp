/// The arithmetic of one update of a small network: products with single vectors, layer norm, traces.
/// Compiled for several instruction sets; the best that the processor has is chosen once.
///
/// Matrices are rows of doubles. `cols` is always a multiple of kLanes: rows are filled up with zeros, which
/// every kernel keeps zero.
#pragma once

#include <cstddef>
#include <vector>

namespace stream::rl {

inline constexpr std::size_t kLanes = 8;  ///< doubles of the widest vector
constexpr std::size_t padded(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

struct Kernels {
  /// y[c] = sum over r of x[r] w[r][c]
  void (*combine)(const double* w, const double* x, double* y, std::size_t rows, std::size_t cols);
  /// x[r] = sum over c of w[r][c] y[c]
  void (*dots)(const double* w, const double* y, double* x, std::size_t rows, std::size_t cols);
  /// z[r][c] = decay z[r][c] + x[r] d[c]; returns the sum of |z|.
  double (*trace)(double* z, const double* x, const double* d, double decay, std::size_t rows,
                  std::size_t cols);
  /// z[r][c] = decay z[r][c] + sum over p of x[p][r] d[p][c] for `places` vectors x (`rows` apart) and d
  /// (`cols` apart): the trace of weights that are used in several places. Returns the sum of |z|.
  double (*shared_trace)(double* z, const double* x, const double* d, double decay, std::size_t rows,
                         std::size_t cols, std::size_t places);
  /// y <- (y - mean) / sqrt(variance + 1e-5) of the first n, then h = leaky ReLU (0.01) of it. Returns
  /// 1 / sqrt(variance + 1e-5). Without `norm` y stays, and 1 is returned.
  double (*activate)(double* y, double* h, std::size_t n, bool norm);
  /// From the gradient by h, in place, to that by what `activate` was given; y is what it left there.
  void (*activate_back)(const double* y, double* d, double scale, std::size_t n, bool norm);
  /// w += scale z of n, a multiple of kLanes, like all below.
  void (*step)(double* w, const double* z, double scale, std::size_t n);
  /// v <- beta v + (1 - beta) (delta z)^2; returns the sum of |z| / sqrt(v unbias + 1e-8).
  double (*second_moment)(double* v, const double* z, double delta, double beta, double unbias,
                          std::size_t n);
  /// w += scale z / sqrt(v unbias + 1e-8)
  void (*scaled_step)(double* w, const double* z, const double* v, double scale, double unbias,
                      std::size_t n);
  /// Adam (Kingma and Ba 2015) for the gradient -delta z, with betas 0.9 and 0.999 and epsilon 1e-8:
  /// unbias_m = 1 / (1 - 0.9^t), unbias_v = 1 / (1 - 0.999^t).
  void (*adam_step)(double* w, double* m, double* v, const double* z, double delta, double rate,
                    double unbias_m, double unbias_v, std::size_t n);
};

/// The best for this processor.
const Kernels& kernels();
/// All that this processor can run, the best first; for tests.
std::vector<const Kernels*> all_kernels();

}  // namespace stream::rl
