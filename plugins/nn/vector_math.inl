// Vectors of STREAM_VECTOR floats and what is computed on them, for files of kernels that are compiled once for each
// instruction set. Included inside a namespace of such a file, after <cstdint>.

constexpr std::int64_t kWidth = STREAM_VECTOR;
typedef float V __attribute__((vector_size(4 * STREAM_VECTOR), aligned(4), may_alias));
typedef std::int32_t I __attribute__((vector_size(4 * STREAM_VECTOR), aligned(4), may_alias));

V load(const float* from) { return *reinterpret_cast<const V*>(from); }
void store(float* to, V v) { *reinterpret_cast<V*>(to) = v; }
V all(float x) { return V{} + x; }

float sum(V v) {
  float s = 0;
  for (int i = 0; i < kWidth; ++i) s += v[i];
  return s;
}

/// Cephes' expf: relative error 2e-7; below -87 it is 1e-38.
V exponential(V x) {
  x = x < all(-87.0f) ? all(-87.0f) : x;
  x = x > all(88.0f) ? all(88.0f) : x;
  constexpr float kRound = 12582912.0f;  // 1.5 x 2^23: adding it rounds to a whole number
  const V n = (x * 1.44269504088896341f + kRound) - kRound;
  const V r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const I scale = (__builtin_convertvector(n, I) + 127) << 23;
  return p * reinterpret_cast<const V&>(scale);
}

V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }
