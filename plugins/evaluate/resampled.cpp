#include "evaluate/resampled.hpp"

#include <algorithm>
#include <limits>

#include "stream/error.hpp"

namespace stream::evaluate {

namespace {
std::uint64_t mixed(std::uint64_t z) {  // the finisher of splitmix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
}  // namespace

double times_drawn(std::uint64_t unit, std::uint64_t replicate, std::uint64_t seed) {
  const std::uint64_t bits =
      mixed(mixed(unit + seed * 0x9e3779b97f4a7c15ull) + replicate * 0x9e3779b97f4a7c15ull);
  double u = static_cast<double>(bits >> 11) * 0x1.0p-53, chance = 0.36787944117144233;  // 1/e
  double times = 0;
  while (u >= chance && times < 16) {
    u -= chance;
    chance /= ++times;
  }
  return times;
}

void Resampled::add(std::uint64_t unit, double value, double weight) {
  ++count_;
  sum_ += weight * value, weight_ += weight;
  for (std::size_t b = 0; b < sums_.size(); ++b) {
    const double times = weight * times_drawn(unit, b, seed_);
    sums_[b] += times * value, weights_[b] += times;
  }
}

void Resampled::clear() {
  count_ = 0;
  sum_ = weight_ = 0;
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(weights_.begin(), weights_.end(), 0.0);
}

double Resampled::mean() const {
  return weight_ > 0 ? sum_ / weight_ : std::numeric_limits<double>::quiet_NaN();
}

Interval Resampled::interval(double level) const {
  std::vector<double> means;
  for (std::size_t b = 0; b < sums_.size(); ++b)
    if (weights_[b] > 0) means.push_back(sums_[b] / weights_[b]);
  return {quantile(means, (1 - level) / 2), quantile(means, (1 + level) / 2)};
}

void Resampled::save(Archive& group) const {
  group.set("count", count_);
  group.set("sum", sum_);
  group.set("weight", weight_);
  group.set("sums", sums_);
  group.set("weights", weights_);
}

void Resampled::load(const Archive& group) {
  auto sums = group.get<std::vector<double>>("sums"), weights = group.get<std::vector<double>>("weights");
  if (sums.size() != sums_.size() || weights.size() != sums_.size())
    throw bad_data("the checkpoint has " + std::to_string(sums.size()) + " resamplings, expected " +
                   std::to_string(sums_.size()));
  count_ = group.get<std::int64_t>("count");
  sum_ = group.get<double>("sum");
  weight_ = group.get<double>("weight");
  sums_ = std::move(sums), weights_ = std::move(weights);
}

}  // namespace stream::evaluate
