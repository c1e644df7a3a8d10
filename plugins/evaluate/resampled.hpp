/// A mean and its bootstrap interval, over a stream of which nothing is kept.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "evaluate/measures.hpp"
#include "stream/archive.hpp"

namespace stream::evaluate {

/// How often a unit occurs in a resampling: Poisson with mean 1, a function of unit, resampling and seed
/// alone. For many units this is what drawing with replacement does (Oza and Russell, "Online bagging and
/// boosting", AISTATS 2001; Chamandy, Muralidharan, Najmi, Naidu, "Estimating uncertainty for massive data
/// streams", Google, 2012). Events of one unit (a user) come and go together, so what depends on each other
/// is never split.
double times_drawn(std::uint64_t unit, std::uint64_t replicate, std::uint64_t seed);

class Resampled {
 public:
  explicit Resampled(std::size_t replicates, std::uint64_t seed)
      : seed_(seed), sums_(replicates), weights_(replicates) {}
  void add(std::uint64_t unit, double value, double weight = 1);
  void clear();
  std::int64_t count() const { return count_; }
  /// NaN of nothing.
  double mean() const;
  Interval interval(double level) const;
  void save(Archive& group) const;
  /// Throws Error(kBadData) when the number of resamplings is another.
  void load(const Archive& group);
  std::size_t bytes() const { return sizeof *this + 2 * sums_.size() * sizeof(double); }

 private:
  std::uint64_t seed_;
  std::int64_t count_ = 0;
  double sum_ = 0, weight_ = 0;
  std::vector<double> sums_, weights_;  ///< by resampling
};

}  // namespace stream::evaluate
