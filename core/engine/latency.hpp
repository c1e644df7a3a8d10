/// Percentiles of end-to-end latency in constant memory.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace stream {

/// Buckets eight to the octave: a percentile is right within 9 %. Writers on any thread.
class LatencyHistogram {
 public:
  void add(std::int64_t nanoseconds) {
    const auto ns = static_cast<std::uint64_t>(nanoseconds > 0 ? nanoseconds : 0);
    counts_[bucket(ns)].fetch_add(1, std::memory_order_relaxed);
    auto seen = max_.load(std::memory_order_relaxed);
    while (ns > seen && !max_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
    }
  }
  /// Seconds below which the fraction `q` of all values lies; 0 when there are none.
  double quantile(double q) const {
    std::uint64_t total = 0;
    for (const auto& c : counts_) total += c.load(std::memory_order_relaxed);
    const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(total));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      below += counts_[i].load(std::memory_order_relaxed);
      if (below > rank) return std::min(static_cast<double>(upper(i)) * 1e-9, max());
    }
    return max();
  }
  double max() const { return static_cast<double>(max_.load(std::memory_order_relaxed)) * 1e-9; }

 private:
  static constexpr std::size_t bucket(std::uint64_t ns) {
    if (ns < 8) return ns;
    const int octave = std::bit_width(ns) - 4;  // the top four bits choose the bucket
    return static_cast<std::size_t>(octave) * 8 + (ns >> octave);
  }
  static constexpr std::uint64_t upper(std::size_t index) {
    if (index < 16) return index + 1;
    const std::size_t octave = index / 8 - 1;
    return (index - octave * 8 + 1) << octave;
  }
  std::array<std::atomic<std::uint64_t>, 504> counts_{};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace stream
