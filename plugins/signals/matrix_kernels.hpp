/// The inner loops, compiled for several instruction sets.
#pragma once

#include <cstddef>

namespace stream::signals {

/// c[rows, cols] = beta c + alpha a b with a(r, k) = a[r * row_step + k * inner_step]; b and c have rows
/// `ldb` and `ldc` apart; cols, ldb and ldc are multiples of 8.
void multiply_kernel(const double* a, std::size_t row_step, std::size_t inner_step, const double* b,
                     std::size_t ldb, double* c, std::size_t ldc, std::size_t rows, std::size_t inner,
                     std::size_t cols, double alpha, double beta);
/// Rows 0 to rows - 1 of a, but for row k: row -= factor row_k with factor = a[row, k], which becomes 0.
void eliminate_kernel(double* a, std::size_t lda, std::size_t rows, std::size_t k);
/// w = z |z| (power 3) or z^3 (power 4), n values.
void spike_kernel(const double* z, double* w, std::size_t n, int power);

}  // namespace stream::signals
