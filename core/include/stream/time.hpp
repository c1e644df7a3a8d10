/// Event time: signed 64-bit nanoseconds from the start of the stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace stream {

using Duration = std::chrono::nanoseconds;
/// A point in event time, counted from the stream's start (not from any wall clock).
using Time = std::chrono::nanoseconds;

inline constexpr Time kTimeMin{std::numeric_limits<std::int64_t>::min()};
inline constexpr Time kTimeMax{std::numeric_limits<std::int64_t>::max()};
/// A lookahead of `kUnbounded` means: nothing is certain before the stream ends.
inline constexpr Duration kUnbounded = kTimeMax;

constexpr double seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }

/// `count` items at `rate` items per second, rounded to the nearest nanosecond without drift or overflow
/// (exact for every count below 2^63 / 1e9 seconds).
constexpr Duration duration_of(std::int64_t count, std::int64_t rate) {
  constexpr std::int64_t kNano = 1'000'000'000;
  const std::int64_t whole = count / rate, rest = count % rate;
  return Duration{whole * kNano + (rest * kNano + rate / 2) / rate};
}

}  // namespace stream
