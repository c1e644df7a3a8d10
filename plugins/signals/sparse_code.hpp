/// Sparse codes of vectors in an orthogonal basis.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signals/matrix.hpp"
#include "stream/payload.hpp"

namespace stream::signals {

struct SparseCode {
  std::vector<std::int64_t> indices;  ///< ascending
  std::vector<double> values;
};

/// An orthogonal dictionary and the mean of what it codes. The best approximation with s terms in such a
/// basis keeps the s greatest coefficients.
class Codebook {
 public:
  Codebook() = default;
  /// Columns of `dictionary` are the atoms.
  Codebook(Matrix dictionary, std::vector<double> mean);
  /// From a tensor of float64 [n + 1, n], its last row the mean. Throws Error(kBadData) for another, for
  /// values that are not finite, and for atoms that are not orthogonal within 1e-6.
  static Codebook of(const Tensor& tensor);
  Tensor tensor() const;

  std::size_t size() const { return dictionary_.rows(); }
  /// All coefficients of y - mean.
  std::vector<double> coefficients(std::span<const double> y) const;
  /// The `terms` greatest coefficients, of equal ones the first; and of those, the ones above `threshold`.
  SparseCode encode(std::span<const double> y, std::size_t terms, double threshold) const;
  std::vector<double> decode(const SparseCode& code) const;
  const Matrix& dictionary() const { return dictionary_; }
  const std::vector<double>& mean() const { return mean_; }

 private:
  Matrix dictionary_, atoms_;  ///< atoms_: transposed, one atom a row
  std::vector<double> mean_;
};

}  // namespace stream::signals
