/// What online orthogonal dictionary learning is compared with.
#pragma once

#include <cstdint>

#include "signals/matrix.hpp"

namespace stream::signals {

/// Projected stochastic gradient on the same objective: D <- polar(D - c / sqrt(t) gradient) at every
/// mini-batch of `batch` rows of `vectors`, in their order.
Matrix projected_gradient(const Matrix& vectors, std::size_t batch, double step, Matrix start);
/// Batch ascent by whole steps, D <- polar(Y^T (Z o |Z|)) or with Z^3 (Zhai et al.'s MSP), on all vectors: l3
/// (power 3) or l4 (power 4).
Matrix batch_ascent(const Matrix& vectors, int power, int rounds, Matrix start);
/// Principal components: eigenvectors of Y^T Y, by falling eigenvalue, as columns.
Matrix principal_components(const Matrix& vectors);
/// Online dictionary learning with an l1 penalty (Mairal et al., ICML 2009): statistics A and B, codes by
/// coordinate descent, columns by block coordinate descent; n atoms of norm at most 1, not orthogonal.
Matrix l1_dictionary(const Matrix& vectors, std::size_t batch, double penalty, Matrix start);
/// K-SVD (Aharon et al., 2006) with n atoms and codes of `terms` coefficients by orthogonal matching pursuit,
/// over the given vectors.
Matrix ksvd(const Matrix& vectors, std::size_t terms, int rounds, Matrix start);
/// Mean squared error of the best approximations with `terms` atoms (orthonormal columns).
double sparse_error(const Matrix& vectors, const Matrix& dictionary, std::size_t terms);
/// The same by orthogonal matching pursuit, for atoms of norm 1 that are not orthogonal.
double pursuit_error(const Matrix& vectors, const Matrix& dictionary, std::size_t terms);

}  // namespace stream::signals
