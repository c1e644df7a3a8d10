#include "bandits/champion.hpp"

#include <algorithm>
#include <cmath>

namespace stream::bandits {

Champion::Champion(ArmMemory& arms, const Problem& problem)
    : Policy(arms),
      epsilon_(problem.epsilon()),
      unit_(std::max<std::uint64_t>(2, static_cast<std::uint64_t>(problem.unit()))) {}

Request Champion::arrive() {
  purse_ += unit_;
  round_ = 0;
  pulled_ = 0;
  mean_ = 0;
  next_ = asked_ = unit_ / 2;
  return Request::pull(kArriving, asked_);
}

Request Champion::answer(double mean) {
  const auto before = static_cast<double>(pulled_), more = static_cast<double>(asked_);
  mean_ = (mean_ * before + mean * more) / (before + more);
  pulled_ += asked_;
  if (!arms_.holds(0)) return crown();
  if (pulled_ > next_) next_ *= 2, ++round_;
  if (round_ == kRounds) return crown();
  if (mean_ < champion_mean_ + epsilon_ / 2) {
    arms_.drop(kArriving);
    return Request::done();
  }
  if (purse_ < next_) return crown();
  purse_ -= next_;
  asked_ = next_;
  return Request::pull(kArriving, asked_);
}

Request Champion::crown() {
  if (arms_.holds(0)) arms_.drop(0);
  arms_.move(kArriving, 0);
  champion_mean_ = mean_;
  return Request::done();
}

void Champion::save(Archive& state) const {
  state.set("champion_mean", champion_mean_);
  state.set("purse", purse_);
  state.set("round", round_);
  state.set("next", next_);
  state.set("asked", asked_);
  state.set("pulled", pulled_);
  state.set("mean", mean_);
}

void Champion::load(const Archive& state) {
  champion_mean_ = state.get<double>("champion_mean");
  purse_ = state.get<std::uint64_t>("purse");
  round_ = state.get<std::int64_t>("round");
  next_ = state.get<std::uint64_t>("next");
  asked_ = state.get<std::uint64_t>("asked");
  pulled_ = state.get<std::uint64_t>("pulled");
  mean_ = state.get<double>("mean");
}

}  // namespace stream::bandits
