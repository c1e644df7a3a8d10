/// The one random generator: small, fast, the same on every machine, and part of an operator's state.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace stream {

/// 64-bit FNV-1a: stable across machines and releases; for seeds and content names, not for security.
constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325ull) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return seed;
}

/// xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64. A UniformRandomBitGenerator, but use
/// the members below: the standard's distributions differ from library to library.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit Random(std::uint64_t seed = 0) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ull;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      word = z ^ (z >> 31);
    }
  }
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
    const std::uint64_t result = rotl(state_[1] * 5, 7) * 9, t = state_[1] << 17;
    state_[2] ^= state_[0], state_[3] ^= state_[1], state_[1] ^= state_[2], state_[0] ^= state_[3];
    state_[2] ^= t, state_[3] = rotl(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in [0, n); n >= 1. Multiply-shift: the bias is below n / 2^64.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>((*this)()) * n) >> 64);
  }
  /// Standard normal (Box-Muller, one value for two draws, no hidden state).
  double normal() {
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
  /// For checkpoints: `ar.set("rng", r.state())`, `r.restore(ar.get<std::vector<std::int64_t>>("rng"))`.
  std::vector<std::int64_t> state() const {
    return {static_cast<std::int64_t>(state_[0]), static_cast<std::int64_t>(state_[1]),
            static_cast<std::int64_t>(state_[2]), static_cast<std::int64_t>(state_[3])};
  }
  void restore(const std::vector<std::int64_t>& words) {
    for (std::size_t i = 0; i < 4; ++i) state_[i] = static_cast<std::uint64_t>(words.at(i));
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace stream
