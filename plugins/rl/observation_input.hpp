/// From an observation to what a learner's network sees: normalised, with the time feature behind.
#pragma once

#include <algorithm>
#include <string>

#include "rl/aligned.hpp"
#include "rl/normalizer.hpp"

namespace stream::rl {

/// Beyond this, squares of observations and rewards could leave the range of doubles.
inline constexpr double kLargest = 1e100;
inline bool acceptable(double x) { return std::abs(x) <= kLargest; }  // false for NaN

class ObservationInput {
 public:
  /// time_limit: steps of an episode for the time feature, which is -0.5 at first and rises by 1 / time_limit
  /// a step; 0 for none.
  ObservationInput(std::size_t size, bool normalize, double time_limit)
      : normalizer_(size),
        normalize_(normalize),
        tick_(time_limit > 0 ? 1 / time_limit : 0),
        now_(size + (time_limit > 0 ? 1 : 0)),
        next_(now_.size()) {}

  /// Numbers of an observation, and of what the network sees.
  std::size_t size() const { return normalizer_.size(); }
  std::size_t inputs() const { return now_.size(); }

  /// Throws Error(kBadData) for another number of numbers, or for one that is not finite.
  void check(std::span<const double> x) const {
    if (x.size() != size())
      throw bad_data("the observation has " + std::to_string(x.size()) + " numbers, expected " +
                     std::to_string(size()));
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!acceptable(x[i])) refuse(i, x[i]);
  }
  /// What the network would see; `commit` makes it so. `first`: of an episode.
  std::span<const double> preview(std::span<const double> x, bool first) {
    if (normalize_)
      normalizer_.preview(x, next_.data());
    else
      std::copy(x.begin(), x.end(), next_.begin());
    if (tick_ > 0) next_.back() = first ? -0.5 : now_.back() + tick_;
    return next_;
  }
  void commit(std::span<const double> x) {
    if (normalize_) normalizer_.absorb(x);
    std::swap(now_, next_);
  }
  /// What the network saw last.
  std::span<const double> now() const { return now_; }

  void save(Archive& state) const {
    normalizer_.save(state.group("normalizer"));
    state.set("input", std::span<const double>(now_));
  }
  void load(const Archive& state) {
    normalizer_.load(state.group("normalizer"));
    const auto now = state.get<std::vector<double>>("input");
    if (now.size() != now_.size())
      throw bad_data("the saved learner saw " + std::to_string(now.size()) + " inputs, expected " +
                     std::to_string(now_.size()));
    std::copy(now.begin(), now.end(), now_.begin());
  }
  std::size_t state_bytes() const {
    return normalizer_.state_bytes() + (now_.size() + next_.size()) * sizeof(double);
  }

 private:
  [[noreturn]] static void refuse(std::size_t i, double x) {
    throw bad_data("number " + std::to_string(i) + " of the observation is " + std::to_string(x) +
                   ", expected one between -1e100 and 1e100");
  }
  ObservationNormalizer normalizer_;
  bool normalize_;
  double tick_;
  Doubles now_, next_;
};

}  // namespace stream::rl
