/// The generator of the synthetic video world: SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014), in integers alone, so that a seed gives the same world
/// everywhere.
#pragma once

#include <cstdint>

namespace stream::video_world {

class SplitMix {
 public:
  explicit constexpr SplitMix(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// 0 to n - 1; n below 2^32.
  constexpr std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(((next() >> 32) * static_cast<std::uint64_t>(n)) >> 32);
  }
  /// low to high, both included.
  constexpr std::int64_t within(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }

 private:
  std::uint64_t state_;
};

/// A seed for a part of what `a` seeds.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return SplitMix(a ^ (b * 0xD6E8FEB86659FD93u)).next();
}

/// Every video is of one split; train never shares a seed with another.
enum class Split : std::uint8_t { kTrain = 1, kVal, kTest, kComp, kLong, kOod, kPrivate };
/// Parts of a video that are drawn independently of each other.
enum class Part : std::uint8_t { kLayout = 1, kEvents, kPixels, kQuestions, kAudio, kDialogue };

constexpr std::uint64_t video_seed(std::uint64_t world, Split split, std::uint8_t profile,
                                   std::uint64_t index) {
  return mix(world, (static_cast<std::uint64_t>(split) << 56) | (std::uint64_t{profile} << 48) | index);
}
constexpr std::uint64_t part_seed(std::uint64_t video, Part part) {
  return mix(video, static_cast<std::uint64_t>(part));
}

}  // namespace stream::video_world
