#include "bandits/game_of_arms.hpp"

#include <algorithm>
#include <cmath>

namespace stream::bandits {

namespace {
std::uint64_t pulls(double count) {
  return static_cast<std::uint64_t>(std::clamp(std::round(count), 1.0, 9e18));
}
}  // namespace

GameOfArms::GameOfArms(ArmMemory& arms, const Problem& problem, std::uint64_t seed)
    : Policy(arms),
      problem_(problem),
      unit_(problem.unit()),
      log_arms_(std::log(static_cast<double>(std::max<std::uint64_t>(3, problem.arms)))),
      random_(seed) {}

Request GameOfArms::arrive() {
  sampled_ = false;
  if (random_.uniform() < 1.5 / log_arms_) {
    phase_ = kSample;
    asked_ = pulls(unit_ * log_arms_);
    return Request::pull(kArriving, asked_);
  }
  return play();
}

Request GameOfArms::play() {
  if (game_over()) return leave();
  phase_ = kGame;
  budget_ += unit_;
  depth_ = 0;
  // The first king is measured with one unit, as its challengers are.
  asked_ = pulls(unit_);
  if (arms_.holds(kKing)) budget_ -= static_cast<double>(asked_);
  return Request::pull(kArriving, asked_);
}

Request GameOfArms::answer(double mean) {
  if (phase_ == kSample) {
    const bool first = !arms_.holds(kFallback) && !king_is_fallback_;
    sampled_ = first || mean > fallback_mean_;
    sample_mean_ = mean;
    return play();
  }
  game_pulls_ += static_cast<double>(asked_);
  challenger_mean_ = mean;
  if (!arms_.holds(kKing)) {
    king_mean_ = mean;
    return crown();
  }
  if (mean < king_mean_ - problem_.epsilon() / 5) return leave();
  ++depth_;
  const double cost = std::ldexp(unit_, static_cast<int>(depth_));
  if (budget_ < cost || game_over()) {
    king_mean_ = std::max(challenger_mean_, king_mean_ + problem_.epsilon() / 2);
    return crown();
  }
  asked_ = pulls(cost);
  budget_ -= cost;
  return Request::pull(kArriving, asked_);
}

Request GameOfArms::crown() {
  if (arms_.holds(kKing)) {
    // A king that was the fallback as well goes on as that, unless the new one is.
    if (king_is_fallback_ && !sampled_)
      arms_.move(kKing, kFallback);
    else
      arms_.drop(kKing);
  }
  king_is_fallback_ = false;
  if (sampled_) {
    if (arms_.holds(kFallback)) arms_.drop(kFallback);
    fallback_mean_ = sample_mean_;
    king_is_fallback_ = true;
  }
  arms_.move(kArriving, kKing);
  budget_ = 1.2 * unit_;
  return Request::done();
}

Request GameOfArms::leave() {
  if (!sampled_) {
    arms_.drop(kArriving);
    return Request::done();
  }
  if (arms_.holds(kFallback)) arms_.drop(kFallback);
  arms_.move(kArriving, kFallback);
  fallback_mean_ = sample_mean_;
  king_is_fallback_ = false;
  return Request::done();
}

Place GameOfArms::best() const {
  if (game_over() && arms_.holds(kFallback)) return kFallback;
  if (arms_.holds(kKing)) return kKing;
  return arms_.holds(kFallback) ? kFallback : kNowhere;
}

void GameOfArms::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("phase", phase_);
  state.set("asked", asked_);
  state.set("sampled", sampled_);
  state.set("sample_mean", sample_mean_);
  state.set("fallback_mean", fallback_mean_);
  state.set("king_mean", king_mean_);
  state.set("budget", budget_);
  state.set("challenger_mean", challenger_mean_);
  state.set("game_pulls", game_pulls_);
  state.set("depth", depth_);
  state.set("king_is_fallback", king_is_fallback_);
}

void GameOfArms::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  phase_ = state.get<std::int64_t>("phase");
  asked_ = state.get<std::uint64_t>("asked");
  sampled_ = state.get<bool>("sampled");
  sample_mean_ = state.get<double>("sample_mean");
  fallback_mean_ = state.get<double>("fallback_mean");
  king_mean_ = state.get<double>("king_mean");
  budget_ = state.get<double>("budget");
  challenger_mean_ = state.get<double>("challenger_mean");
  game_pulls_ = state.get<double>("game_pulls");
  depth_ = state.get<std::int64_t>("depth");
  king_is_fallback_ = state.get<bool>("king_is_fallback");
}

}  // namespace stream::bandits
