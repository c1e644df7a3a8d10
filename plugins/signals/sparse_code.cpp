#include "signals/sparse_code.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "signals/matrix_kernels.hpp"
#include "stream/error.hpp"

namespace stream::signals {

Codebook::Codebook(Matrix dictionary, std::vector<double> mean)
    : dictionary_(std::move(dictionary)), atoms_(dictionary_.transposed()), mean_(std::move(mean)) {}

Codebook Codebook::of(const Tensor& tensor) {
  const auto shape = tensor.shape();
  if (shape.size() != 2 || shape[0] != shape[1] + 1 || shape[1] < 1)
    throw bad_data("a dictionary is a tensor [n + 1, n]: n rows, and the mean");
  const auto values = tensor.values<double>();
  for (const double v : values)
    if (!std::isfinite(v)) throw bad_data("the dictionary holds values that are not finite");
  const auto n = static_cast<std::size_t>(shape[1]);
  Codebook book(Matrix::of(values.first(n * n), n, n),
                {values.begin() + static_cast<std::ptrdiff_t>(n * n), values.end()});
  if (orthogonality_gap(book.dictionary_) > 1e-6) throw bad_data("the dictionary's atoms are not orthogonal");
  return book;
}

Tensor Codebook::tensor() const {
  auto values = dictionary_.packed();
  values.insert(values.end(), mean_.begin(), mean_.end());
  const auto n = static_cast<std::int64_t>(size());
  return Tensor::of(std::move(values), {n + 1, n});
}

std::vector<double> Codebook::coefficients(std::span<const double> y) const {
  std::vector<double> centred(y.begin(), y.end()), x(dictionary_.stride());
  for (std::size_t i = 0; i < centred.size(); ++i) centred[i] -= mean_[i];
  multiply_kernel(centred.data(), centred.size(), 1, dictionary_.row(0), dictionary_.stride(), x.data(),
                  x.size(), 1, size(), x.size(), 1, 0);
  x.resize(size());
  return x;
}

SparseCode Codebook::encode(std::span<const double> y, std::size_t terms, double threshold) const {
  const auto x = coefficients(y);
  std::vector<std::int64_t> order(x.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  terms = std::min(terms, order.size());
  const auto magnitude = [&](std::int64_t j) { return std::abs(x[static_cast<std::size_t>(j)]); };
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(terms) - (terms > 0),
                   order.end(), [&](std::int64_t a, std::int64_t b) {
                     return magnitude(a) > magnitude(b) || (magnitude(a) == magnitude(b) && a < b);
                   });
  order.resize(terms);
  std::sort(order.begin(), order.end());
  SparseCode code;
  for (const std::int64_t j : order) {
    if (!(magnitude(j) > threshold)) continue;
    code.indices.push_back(j);
    code.values.push_back(x[static_cast<std::size_t>(j)]);
  }
  return code;
}

std::vector<double> Codebook::decode(const SparseCode& code) const {
  std::vector<double> y = mean_;
  for (std::size_t k = 0; k < code.indices.size(); ++k) {
    const double* atom = atoms_.row(static_cast<std::size_t>(code.indices[k]));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += code.values[k] * atom[i];
  }
  return y;
}

}  // namespace stream::signals
