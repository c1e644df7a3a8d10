/// The arms that a single-pass algorithm holds: few, counted, and never more than it declared.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/archive.hpp"

namespace stream::bandits {

struct Arm {
  std::string id;  ///< as JSON: a string in quotes, or an integer
  /// Its true mean reward, where the stream carries it: for the regret alone, no algorithm looks at it.
  double mean = std::numeric_limits<double>::quiet_NaN();
};

/// Where an arm stands: kArriving, or a place of the memory from 0.
using Place = std::int32_t;
inline constexpr Place kArriving = -1, kNowhere = -2;

/// What was dropped is gone for good: asking for it throws.
class ArmMemory {
 public:
  explicit ArmMemory(std::size_t capacity) : places_(capacity) {}

  /// The next arm of the stream. Precondition: the one before was kept or dropped.
  void arrive(Arm arm);
  /// Moves an arm to a place, which must be free. Throws std::logic_error for a place beyond the capacity.
  void move(Place from, Place to);
  void drop(Place place);
  bool holds(Place place) const;
  /// Throws std::logic_error when no arm stands there.
  const Arm& at(Place place) const;
  /// Where an arm of this id stands; kNowhere when it is not held.
  Place find(const std::string& id) const;

  /// Arms held besides the arriving one: now, and the most there ever were.
  std::size_t held() const { return held_; }
  std::size_t peak() const { return peak_; }
  std::size_t capacity() const { return places_.size(); }
  /// Where the newest arrival went.
  Place newest() const { return newest_; }
  /// Ids dropped since they were last taken: to be taken with every decision, so that they stay few.
  std::vector<std::string> take_dropped() { return std::exchange(dropped_, {}); }
  std::size_t bytes() const;

  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  std::optional<Arm>& slot(Place place);
  std::vector<std::optional<Arm>> places_;
  std::optional<Arm> arriving_;
  std::size_t held_ = 0, peak_ = 0;
  Place newest_ = kNowhere;
  std::vector<std::string> dropped_;
};

}  // namespace stream::bandits
