// The kernel of convolution.hpp for vectors of STREAM_VECTOR floats, as the table STREAM_TABLE. Included by one file for
// each instruction set and compiled with its flags, so nothing here may be shared with other files.
#include "nn/convolution.hpp"

namespace stream::nn {
namespace {

constexpr std::int64_t kWidth = STREAM_VECTOR;
typedef float V __attribute__((vector_size(4 * STREAM_VECTOR), aligned(4), may_alias));
constexpr int kVectors = static_cast<int>(kColumns / kWidth);  // of kColumns columns

V load(const float* from) { return *reinterpret_cast<const V*>(from); }
void store(float* to, V v) { *reinterpret_cast<V*>(to) = v; }

struct Job {
  const float* const* in;
  std::int64_t rows, in_step, inner;
  const float *weights, *bias;
  float* out;
  std::int64_t out_step, cols;
  bool relu, add;
};

/// P pixels from `first`, C vectors of columns from `column`. The sums stay in registers.
template <int P, int C>
void block(const Job& job, std::int64_t first, std::int64_t column) {
  V sums[P][C];
  float* const out = job.out + first * job.out_step + column;
  for (int p = 0; p < P; ++p)
    for (int c = 0; c < C; ++c) {
      sums[p][c] = load(job.bias + column + c * kWidth);
      if (job.add) sums[p][c] += load(out + p * job.out_step + c * kWidth);
    }
  const float* w = job.weights + column;
  for (std::int64_t r = 0; r < job.rows; ++r) {
    const float* const in = job.in[r] + first * job.in_step;
    for (std::int64_t i = 0; i < job.inner; ++i, w += job.cols) {
      V row[C];
      for (int c = 0; c < C; ++c) row[c] = load(w + c * kWidth);
      for (int p = 0; p < P; ++p)
        for (int c = 0; c < C; ++c) sums[p][c] += in[p * job.in_step + i] * row[c];
    }
  }
  // In order: what a pixel writes past its own channels, the next one overwrites.
  for (int p = 0; p < P; ++p)
    for (int c = 0; c < C; ++c) {
      V v = sums[p][c];
      if (job.relu) v = v > V{} ? v : V{};
      store(out + p * job.out_step + c * kWidth, v);
    }
}

/// Registers hold 24 sums, or 12.
constexpr int kSums = STREAM_VECTOR == 16 ? 24 : 12;
template <int C>
constexpr int kPixels = kSums / C >= 8 ? 8 : kSums / C >= 4 ? 4 : kSums / C >= 2 ? 2 : 1;

template <int C>
void columns(const Job& job, std::int64_t pixels, std::int64_t column) {
  std::int64_t p = 0;
  for (; p + kPixels<C> <= pixels; p += kPixels<C>) block<kPixels<C>, C>(job, p, column);
  if constexpr (kPixels<C> > 4)
    for (; p + 4 <= pixels; p += 4) block<4, C>(job, p, column);
  if constexpr (kPixels<C> > 2)
    for (; p + 2 <= pixels; p += 2) block<2, C>(job, p, column);
  for (; p < pixels; ++p) block<1, C>(job, p, column);
}

void run(const float* const* in, std::int64_t rows, std::int64_t in_step, std::int64_t inner, const float* weights,
         const float* bias, float* out, std::int64_t out_step, std::int64_t pixels, std::int64_t cols, bool relu,
         bool add) {
  const Job job{in, rows, in_step, inner, weights, bias, out, out_step, cols, relu, add};
  std::int64_t column = 0;
  for (; cols - column > 3 * kColumns; column += 2 * kColumns) columns<2 * kVectors>(job, pixels, column);
  switch ((cols - column) / kColumns) {
    case 3:
      columns<3 * kVectors>(job, pixels, column);
      break;
    case 2:
      columns<2 * kVectors>(job, pixels, column);
      break;
    default:
      columns<kVectors>(job, pixels, column);
  }
}

}  // namespace

extern const ConvolutionKernels STREAM_TABLE;
const ConvolutionKernels STREAM_TABLE = {run};

}  // namespace stream::nn
