/// What a listener remembers: the base-level activation of ACT-R over the times of past plays.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/archive.hpp"

namespace stream::recommenders {

/// Decay d of the power law (Anderson et al., "An integrated theory of the mind", Psychological Review
/// 111(4), 2004).
inline constexpr double kDecay = 0.5;
/// Seconds below which an age counts as so much: a play at the very time of the question would weigh
/// infinitely.
inline constexpr double kLeastAge = 1;

/// Age in seconds to the power -d.
inline double decayed(double age) {
  static_assert(kDecay == 0.5, "written for this decay");
  return 1 / std::sqrt(std::max(age, kLeastAge));
}

struct Activation {
  std::int32_t item;
  double strength;  ///< S = sum over plays of age^-d; the base level is ln S, and softmax(ln S) = S / sum S
};

/// What a vector takes of the heap. Of small ones, of which a million users have several each, most is
/// glibc's: 32 bytes at the least, and multiples of 16.
template <typename T>
std::size_t heap_bytes(const std::vector<T>& v) {
  return v.capacity() == 0 ? 0 : std::max<std::size_t>(32, (v.capacity() * sizeof(T) + 8 + 15) / 16 * 16);
}

/// The plays of one user. Items are numbers from 1 on.
class PlayHistory {
 public:
  struct Options {
    /// Times kept for each item. Older plays are known by their number and the first of them: Petrov's
    /// approximation
    /// ("Computationally efficient approximation of the base-level learning equation in ACT-R", ICCM 2006).
    /// 0: all are kept, and strengths are exact.
    std::size_t times = 0;
    /// Items kept; beyond, the one whose last play is the oldest is forgotten. 0: all.
    std::size_t items = 0;
  };
  explicit PlayHistory(Options options) : options_(options) {}
  PlayHistory() = default;

  /// `time` in seconds; plays come in order of time.
  void play(std::int32_t item, double time);
  bool knows(std::int32_t item) const { return find(item) != nullptr; }
  /// Of every item known, in order of item; `now` in seconds.
  std::vector<Activation> activations(double now) const;
  /// What `activations` would be had these items been played at `time` as well.
  std::vector<Activation> activations_with(std::span<const std::int32_t> items, double time,
                                           double now) const;
  std::size_t size() const { return items_.size(); }
  void save(Archive& group) const;
  void load(const Archive& group);
  std::size_t bytes() const;

 private:
  struct Item {
    std::int32_t item;
    std::int32_t plays;
    double first;
    std::vector<double> times;  ///< the newest, in order
  };
  static bool before(const Item& item, std::int32_t wanted) { return item.item < wanted; }
  const Item* find(std::int32_t item) const;
  double strength(const Item& item, double now) const;
  Options options_;
  std::vector<Item> items_;  ///< by item
};

}  // namespace stream::recommenders
