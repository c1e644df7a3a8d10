#include "signals/matrix_kernels.hpp"

#include <cmath>
#include <cstring>

// The loader picks the best that the processor has; ThreadSanitizer starts too late for that.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define STREAM_FOR_EACH_ISA __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define STREAM_FOR_EACH_ISA
#endif

namespace stream::signals {

namespace {
using Lane __attribute__((vector_size(64), aligned(8), may_alias)) = double;
}

STREAM_FOR_EACH_ISA
void multiply_kernel(const double* a, std::size_t row_step, std::size_t inner_step, const double* b,
                     std::size_t ldb, double* c, std::size_t ldc, std::size_t rows, std::size_t inner,
                     std::size_t cols, double alpha, double beta) {
  // Four rows by sixteen columns stay in registers; every element is summed in the order of k whatever tile
  // it falls into.
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const double *a0 = a + r * row_step, *a1 = a0 + row_step, *a2 = a1 + row_step, *a3 = a2 + row_step;
    std::size_t j = 0;
    for (; j + 16 <= cols; j += 16) {
      Lane s00{}, s01{}, s10{}, s11{}, s20{}, s21{}, s30{}, s31{};
      for (std::size_t k = 0; k < inner; ++k) {
        const Lane b0 = *reinterpret_cast<const Lane*>(b + k * ldb + j),
                   b1 = *reinterpret_cast<const Lane*>(b + k * ldb + j + 8);
        const std::size_t at = k * inner_step;
        s00 += a0[at] * b0, s01 += a0[at] * b1, s10 += a1[at] * b0, s11 += a1[at] * b1;
        s20 += a2[at] * b0, s21 += a2[at] * b1, s30 += a3[at] * b0, s31 += a3[at] * b1;
      }
      Lane* const c0 = reinterpret_cast<Lane*>(c + r * ldc + j);
      Lane* const c1 = reinterpret_cast<Lane*>(c + (r + 1) * ldc + j);
      Lane* const c2 = reinterpret_cast<Lane*>(c + (r + 2) * ldc + j);
      Lane* const c3 = reinterpret_cast<Lane*>(c + (r + 3) * ldc + j);
      if (beta == 0) {
        c0[0] = alpha * s00, c0[1] = alpha * s01, c1[0] = alpha * s10, c1[1] = alpha * s11;
        c2[0] = alpha * s20, c2[1] = alpha * s21, c3[0] = alpha * s30, c3[1] = alpha * s31;
      } else {
        c0[0] = beta * c0[0] + alpha * s00, c0[1] = beta * c0[1] + alpha * s01;
        c1[0] = beta * c1[0] + alpha * s10, c1[1] = beta * c1[1] + alpha * s11;
        c2[0] = beta * c2[0] + alpha * s20, c2[1] = beta * c2[1] + alpha * s21;
        c3[0] = beta * c3[0] + alpha * s30, c3[1] = beta * c3[1] + alpha * s31;
      }
    }
    for (; j < cols; j += 8) {
      Lane s0{}, s1{}, s2{}, s3{};
      for (std::size_t k = 0; k < inner; ++k) {
        const Lane b0 = *reinterpret_cast<const Lane*>(b + k * ldb + j);
        const std::size_t at = k * inner_step;
        s0 += a0[at] * b0, s1 += a1[at] * b0, s2 += a2[at] * b0, s3 += a3[at] * b0;
      }
      const Lane sums[] = {s0, s1, s2, s3};
      for (std::size_t q = 0; q < 4; ++q) {
        Lane* const out = reinterpret_cast<Lane*>(c + (r + q) * ldc + j);
        *out = beta == 0 ? alpha * sums[q] : beta * *out + alpha * sums[q];
      }
    }
  }
  for (; r < rows; ++r) {
    for (std::size_t j = 0; j < cols; j += 8) {
      Lane sum{};
      for (std::size_t k = 0; k < inner; ++k)
        sum += a[r * row_step + k * inner_step] * *reinterpret_cast<const Lane*>(b + k * ldb + j);
      Lane* const out = reinterpret_cast<Lane*>(c + r * ldc + j);
      *out = beta == 0 ? alpha * sum : beta * *out + alpha * sum;
    }
  }
}

STREAM_FOR_EACH_ISA
void eliminate_kernel(double* a, std::size_t lda, std::size_t rows, std::size_t k) {
  const double* const pivot = a + k * lda;
  for (std::size_t r = 0; r < rows; ++r) {
    if (r == k) continue;
    double* const row = a + r * lda;
    const double factor = row[k];
    row[k] = 0;
    for (std::size_t j = 0; j < lda; j += 8)
      *reinterpret_cast<Lane*>(row + j) -= factor * *reinterpret_cast<const Lane*>(pivot + j);
  }
}

STREAM_FOR_EACH_ISA
void spike_kernel(const double* z, double* w, std::size_t n, int power) {
  if (power == 3) {
    for (std::size_t i = 0; i < n; ++i) w[i] = z[i] * std::abs(z[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) w[i] = z[i] * z[i] * z[i];
  }
}

}  // namespace stream::signals
