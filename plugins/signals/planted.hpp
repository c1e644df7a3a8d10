/// Data to learn dictionaries from: planted bases, sensors, and patches of drawn scenes.
#pragma once

#include <span>
#include <vector>

#include "signals/matrix.hpp"
#include "stream/random.hpp"

namespace stream::signals {

/// y = D0 x + noise with a random orthogonal D0 and Bernoulli-Gaussian x.
class Planted {
 public:
  Planted(std::size_t size, double density, double noise, Random& random)
      : basis_(Matrix::random_orthogonal(size, random)), density_(density), noise_(noise) {}
  std::size_t size() const { return basis_.rows(); }
  const Matrix& basis() const { return basis_; }
  void draw(Random& random, std::span<double> y) const;

 private:
  Matrix basis_;
  double density_, noise_;
};

/// One vector a row. Sixteen virtual sensors: sparse events seen through a random orthogonal mixture, slow
/// drift, and outliers in a hundredth of the numbers.
Matrix sensor_vectors(std::size_t count, Random& random);
/// 8 x 8 patches of drawn scenes (edges, gratings, gradients, strokes of glyphs) without their mean, in a
/// basis of the 63 dimensions that are left. `basis` [64, 63]: its columns, for those who need pixels.
Matrix patch_vectors(std::size_t count, Random& random);
/// Of the plane that patch_vectors speaks of: the two-dimensional DCT without its constant, columns in zigzag
/// order.
Matrix dct_patch_basis();
/// DCT-II of n numbers, one atom a column.
Matrix dct_basis(std::size_t n);

}  // namespace stream::signals
