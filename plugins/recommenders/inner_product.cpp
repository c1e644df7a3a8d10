#include "recommenders/inner_product.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace stream::recommenders {

const std::byte* CodedVector::of(const float* vector) {
  const std::size_t n = features_;
  float greatest = 0;
  for (std::size_t i = 0; i < n; ++i) greatest = std::max(greatest, std::abs(vector[i]));
  const float scale = greatest / 127, inverse = greatest > 0 ? 127 / greatest : 0;
  std::memcpy(bytes_.data(), &scale, sizeof scale);
  for (std::size_t i = 0; i < n; ++i)
    bytes_[sizeof scale + i] = static_cast<std::byte>(std::lrint(vector[i] * inverse));
  return bytes_.data();
}

namespace {

/// Sums side by side, which the compiler keeps in vectors of the processor's.
template <std::size_t kLanes>
[[gnu::always_inline]] inline float lanes_product(const float* a, const float* b, std::size_t n) {
  float sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += a[i + j] * b[i + j];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t j = 0; j < width; ++j) sums[j] += sums[j + width];
  float rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  return sums[0] + rest;
}

[[gnu::always_inline]] inline float coded_distance(const void* a, const void* b, const void* features) {
  const std::size_t n = *static_cast<const std::size_t*>(features);
  float scale_a, scale_b;
  std::memcpy(&scale_a, a, sizeof scale_a);
  std::memcpy(&scale_b, b, sizeof scale_b);
  const auto* x = static_cast<const signed char*>(a) + sizeof(float);
  const auto* y = static_cast<const signed char*>(b) + sizeof(float);
  int sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return 1 - scale_a * scale_b * static_cast<float>(sum);
}

float floats_baseline(const float* a, const float* b, std::size_t n) { return lanes_product<8>(a, b, n); }
float coded_baseline(const void* a, const void* b, const void* n) { return coded_distance(a, b, n); }
constexpr InnerProducts kBaseline{"baseline", floats_baseline, coded_baseline};

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] float floats_avx2(const float* a, const float* b, std::size_t n) {
  return lanes_product<32>(a, b, n);
}
[[gnu::target("avx2,fma")]] float coded_avx2(const void* a, const void* b, const void* n) {
  return coded_distance(a, b, n);
}
constexpr InnerProducts kAvx2{"avx2", floats_avx2, coded_avx2};
#endif

}  // namespace

std::vector<const InnerProducts*> all_inner_products() {
  std::vector<const InnerProducts*> out;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.push_back(&kAvx2);
#endif
  out.push_back(&kBaseline);
  return out;
}

const InnerProducts& inner_products() {
  static const InnerProducts& best = *all_inner_products().front();
  return best;
}

}  // namespace stream::recommenders
