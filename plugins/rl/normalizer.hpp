/// Running normalisation of observations and scaling of rewards (Welford 1962), as stream-x uses them: never
/// frozen, and updated with a sample before that sample is normalised.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/archive.hpp"
#include "stream/error.hpp"

namespace stream::rl {

/// Each number of an observation, less its mean, over its standard deviation.
///
/// Two calls for each sample, so that an event can be refused in between with nothing changed: `preview`
/// tells what comes out once the sample counts, `absorb` lets it count.
class ObservationNormalizer {
 public:
  explicit ObservationNormalizer(std::size_t size) : moments_(2 * size) {}
  std::size_t size() const { return moments_.size() / 2; }

  void preview(std::span<const double> x, double* out) const {
    const std::size_t n = size();
    if (count_ == 0) {
      std::fill(out, out + n, 0.0);
      return;
    }
    const double share = 1 / static_cast<double>(count_ + 1), spread = 1 / static_cast<double>(count_);
    const double *const mean = moments_.data(), *const squares = mean + n;
    for (std::size_t i = 0; i < n; ++i) {
      const double away = x[i] - mean[i], now = mean[i] + away * share;
      const double variance = (squares[i] + away * (x[i] - now)) * spread;
      out[i] = (x[i] - now) / std::sqrt(variance + 1e-8);
    }
  }
  void absorb(std::span<const double> x) {
    const std::size_t n = size();
    double *const mean = moments_.data(), *const squares = mean + n;
    ++count_;
    if (count_ == 1) {
      std::copy(x.begin(), x.end(), mean);
      return;
    }
    const double share = 1 / static_cast<double>(count_);
    for (std::size_t i = 0; i < n; ++i) {
      const double away = x[i] - mean[i], now = mean[i] + away * share;
      squares[i] += away * (x[i] - now);
      mean[i] = now;
    }
  }

  void save(Archive& state) const {
    state.set("count", count_);
    state.set("moments", std::span<const double>(moments_));
  }
  void load(const Archive& state) {
    auto moments = state.get<std::vector<double>>("moments");
    if (moments.size() != moments_.size())
      throw bad_data("the saved statistics are of observations of " + std::to_string(moments.size() / 2) +
                     " numbers, expected " + std::to_string(size()));
    moments_ = std::move(moments);
    count_ = state.get<std::int64_t>("count");
  }
  std::size_t state_bytes() const { return moments_.size() * sizeof(double); }

 private:
  std::int64_t count_ = 0;
  std::vector<double> moments_;  ///< means, then sums of squared deviations
};

/// Rewards over the standard deviation of their running discounted sum u. Small enough to copy, which is how
/// an event is tried before it counts.
class RewardScaler {
 public:
  explicit RewardScaler(double gamma) : gamma_(gamma) {}

  /// u <- gamma (1 - done) u + reward; the reward over u's standard deviation.
  double scale(double reward, bool done) {
    return_ = (done ? 0.0 : gamma_ * return_) + reward;
    ++count_;
    if (count_ == 1) {
      mean_ = return_;
    } else {
      const double away = return_ - mean_;
      mean_ += away / static_cast<double>(count_);
      squares_ += away * (return_ - mean_);
    }
    return reward / deviation();
  }
  /// Of u so far; 1 before there are two.
  double deviation() const {
    return std::sqrt((count_ < 2 ? 1.0 : squares_ / static_cast<double>(count_ - 1)) + 1e-8);
  }
  /// The running discounted return, in the same unit as the scaled rewards.
  double normalised_return() const { return return_ / deviation(); }

  void save(Archive& state) const {
    state.set("return", return_);
    state.set("mean", mean_);
    state.set("squares", squares_);
    state.set("count", count_);
  }
  void load(const Archive& state) {
    return_ = state.get<double>("return");
    mean_ = state.get<double>("mean");
    squares_ = state.get<double>("squares");
    count_ = state.get<std::int64_t>("count");
  }

 private:
  double gamma_;
  double return_ = 0, mean_ = 0, squares_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace stream::rl
