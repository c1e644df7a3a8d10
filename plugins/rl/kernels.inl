// The kernels of kernels.hpp for vectors of STREAM_VECTOR doubles, as the table STREAM_TABLE. Included by one file
// for each instruction set and compiled with its flags, so nothing here may be shared with other files: no inline
// functions, no standard library.
#include "rl/kernels.hpp"

namespace stream::rl {
namespace {

using Size = std::size_t;
constexpr Size kWidth = STREAM_VECTOR;
typedef double V __attribute__((vector_size(8 * STREAM_VECTOR), aligned(8), may_alias));
typedef long I __attribute__((vector_size(8 * STREAM_VECTOR), aligned(8), may_alias));

inline V load(const double* from) { return *reinterpret_cast<const V*>(from); }
inline void store(double* to, V v) { *reinterpret_cast<V*>(to) = v; }
inline V magnitude(V v) {
  const I bits = reinterpret_cast<const I&>(v) & 0x7fffffffffffffffl;
  return reinterpret_cast<const V&>(bits);
}
inline V root(V v) {
  for (Size i = 0; i < kWidth; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
}
inline double sum(V v) {
#if STREAM_VECTOR == 8
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
#elif STREAM_VECTOR == 4
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
#endif
  return v[0] + v[1];
}

/// The sums of kWidth vectors as one vector.
inline V sums(const V* v) {
#if STREAM_VECTOR == 8
  V pair[4], four[2];
  for (int i = 0; i < 4; ++i)
    pair[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
              __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  for (int i = 0; i < 2; ++i)
    four[i] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
              __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
#elif STREAM_VECTOR == 4
  V pair[2];
  for (int i = 0; i < 2; ++i)
    pair[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 4, 2, 6) +
              __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 5, 3, 7);
  return __builtin_shufflevector(pair[0], pair[1], 0, 1, 4, 5) + __builtin_shufflevector(pair[0], pair[1], 2, 3, 6, 7);
#else
  return __builtin_shufflevector(v[0], v[1], 0, 2) + __builtin_shufflevector(v[0], v[1], 1, 3);
#endif
}

/// C vectors of columns. Two sums of every column: one alone would wait for its own latency.
template <int C>
inline void combine_columns(const double* w, const double* x, double* y, Size rows, Size cols) {
  V even[C] = {}, odd[C] = {};
  Size r = 0;
  for (; r + 2 <= rows; r += 2) {
    for (int c = 0; c < C; ++c) even[c] += x[r] * load(w + r * cols + c * kWidth);
    for (int c = 0; c < C; ++c) odd[c] += x[r + 1] * load(w + (r + 1) * cols + c * kWidth);
  }
  if (r < rows)
    for (int c = 0; c < C; ++c) even[c] += x[r] * load(w + r * cols + c * kWidth);
  for (int c = 0; c < C; ++c) store(y + c * kWidth, even[c] + odd[c]);
}

void combine(const double* w, const double* x, double* y, Size rows, Size cols) {
  Size c = 0;
  for (; c + 4 * kWidth <= cols; c += 4 * kWidth) combine_columns<4>(w + c, x, y + c, rows, cols);
  if (c + 2 * kWidth <= cols) combine_columns<2>(w + c, x, y + c, rows, cols), c += 2 * kWidth;
  if (c < cols) combine_columns<1>(w + c, x, y + c, rows, cols);
}

void dots(const double* w, const double* y, double* x, Size rows, Size cols) {
  Size r = 0;
  for (; r + kWidth <= rows; r += kWidth) {
    V parts[kWidth] = {};
    for (Size c = 0; c < cols; c += kWidth) {
      const V v = load(y + c);
      for (Size k = 0; k < kWidth; ++k) parts[k] += load(w + (r + k) * cols + c) * v;
    }
    store(x + r, sums(parts));
  }
  for (; r < rows; ++r) {
    V part{};
    for (Size c = 0; c < cols; c += kWidth) part += load(w + r * cols + c) * load(y + c);
    x[r] = sum(part);
  }
}

/// C vectors of columns, whose gradients stay in registers.
template <int C>
inline V trace_columns(double* z, const double* x, const double* d, double decay, Size rows, Size cols) {
  V gradient[C], total[C] = {};
  for (int c = 0; c < C; ++c) gradient[c] = load(d + c * kWidth);
  for (Size r = 0; r < rows; ++r)
    for (int c = 0; c < C; ++c) {
      double* const at = z + r * cols + c * kWidth;
      const V now = decay * load(at) + x[r] * gradient[c];
      store(at, now);
      total[c] += magnitude(now);
    }
  for (int c = 1; c < C; ++c) total[0] += total[c];
  return total[0];
}

double trace(double* z, const double* x, const double* d, double decay, Size rows, Size cols) {
  V total{};
  Size c = 0;
  for (; c + 4 * kWidth <= cols; c += 4 * kWidth) total += trace_columns<4>(z + c, x, d + c, decay, rows, cols);
  if (c + 2 * kWidth <= cols) total += trace_columns<2>(z + c, x, d + c, decay, rows, cols), c += 2 * kWidth;
  if (c < cols) total += trace_columns<1>(z + c, x, d + c, decay, rows, cols);
  return sum(total);
}

double shared_trace(double* z, const double* x, const double* d, double decay, Size rows, Size cols,
                    Size places) {
  V total{};
  for (Size c = 0; c < cols; c += kWidth) {
    Size r = 0;
    for (; r + 4 <= rows; r += 4) {
      V part[4];
      for (Size k = 0; k < 4; ++k) part[k] = decay * load(z + (r + k) * cols + c);
      for (Size p = 0; p < places; ++p) {
        const V gradient = load(d + p * cols + c);
        for (Size k = 0; k < 4; ++k) part[k] += x[p * rows + r + k] * gradient;
      }
      for (Size k = 0; k < 4; ++k) store(z + (r + k) * cols + c, part[k]), total += magnitude(part[k]);
    }
    for (; r < rows; ++r) {
      V part = decay * load(z + r * cols + c);
      for (Size p = 0; p < places; ++p) part += x[p * rows + r] * load(d + p * cols + c);
      store(z + r * cols + c, part);
      total += magnitude(part);
    }
  }
  return sum(total);
}

inline V leaky(V v) { return v > V{} ? v : 0.01 * v; }

double activate(double* y, double* h, Size n, bool norm) {
  const Size whole = n / kWidth * kWidth;
  double scale = 1;
  if (norm) {
    V s{};
    for (Size i = 0; i < whole; i += kWidth) s += load(y + i);
    double total = sum(s);
    for (Size i = whole; i < n; ++i) total += y[i];
    const double mean = total / static_cast<double>(n);
    V q{};
    for (Size i = 0; i < whole; i += kWidth) {
      const V away = load(y + i) - mean;
      q += away * away;
    }
    double squares = sum(q);
    for (Size i = whole; i < n; ++i) squares += (y[i] - mean) * (y[i] - mean);
    scale = 1 / __builtin_sqrt(squares / static_cast<double>(n) + 1e-5);
    for (Size i = 0; i < whole; i += kWidth) store(y + i, (load(y + i) - mean) * scale);
    for (Size i = whole; i < n; ++i) y[i] = (y[i] - mean) * scale;
  }
  for (Size i = 0; i < whole; i += kWidth) store(h + i, leaky(load(y + i)));
  for (Size i = whole; i < n; ++i) h[i] = y[i] > 0 ? y[i] : 0.01 * y[i];
  return scale;
}

void activate_back(const double* y, double* d, double scale, Size n, bool norm) {
  const Size whole = n / kWidth * kWidth;
  V s{}, q{};
  for (Size i = 0; i < whole; i += kWidth) {
    const V v = load(y + i), g = v > V{} ? load(d + i) : 0.01 * load(d + i);
    store(d + i, g);
    s += g;
    q += g * v;
  }
  double mean = sum(s), along = sum(q);
  for (Size i = whole; i < n; ++i) {
    d[i] = y[i] > 0 ? d[i] : 0.01 * d[i];
    mean += d[i];
    along += d[i] * y[i];
  }
  if (!norm) return;
  mean /= static_cast<double>(n);
  along /= static_cast<double>(n);
  for (Size i = 0; i < whole; i += kWidth) store(d + i, (load(d + i) - mean - load(y + i) * along) * scale);
  for (Size i = whole; i < n; ++i) d[i] = (d[i] - mean - y[i] * along) * scale;
}

void step(double* w, const double* z, double scale, Size n) {
  for (Size i = 0; i < n; i += kWidth) store(w + i, load(w + i) + scale * load(z + i));
}

double second_moment(double* v, const double* z, double delta, double beta, double unbias, Size n) {
  V total{};
  for (Size i = 0; i < n; i += kWidth) {
    const V trace = load(z + i), gradient = delta * trace;
    const V now = beta * load(v + i) + (1 - beta) * (gradient * gradient);
    store(v + i, now);
    total += magnitude(trace) / root(now * unbias + 1e-8);
  }
  return sum(total);
}

void scaled_step(double* w, const double* z, const double* v, double scale, double unbias, Size n) {
  for (Size i = 0; i < n; i += kWidth)
    store(w + i, load(w + i) + scale * load(z + i) / root(load(v + i) * unbias + 1e-8));
}

void adam_step(double* w, double* m, double* v, const double* z, double delta, double rate, double unbias_m,
               double unbias_v, Size n) {
  for (Size i = 0; i < n; i += kWidth) {
    const V gradient = -delta * load(z + i);
    const V first = 0.9 * load(m + i) + 0.1 * gradient;
    const V second = 0.999 * load(v + i) + 0.001 * (gradient * gradient);
    store(m + i, first);
    store(v + i, second);
    store(w + i, load(w + i) - rate * (first * unbias_m) / (root(second * unbias_v) + 1e-8));
  }
}

}  // namespace

extern const Kernels STREAM_TABLE;
const Kernels STREAM_TABLE = {combine,       dots, trace,         shared_trace, activate,
                              activate_back, step, second_moment, scaled_step,  adam_step};

}  // namespace stream::rl
