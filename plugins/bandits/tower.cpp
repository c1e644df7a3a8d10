#include "bandits/tower.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::bandits {

namespace {

/// At least one pull, and no more than a budget can hold.
std::uint64_t pulls(double count) {
  return static_cast<std::uint64_t>(std::clamp(std::round(count), 1.0, 9e18));
}

/// Levels of the log*-tower, whose r doubles as exponent: stops at the first that holds all K arms by itself.
template <typename LevelOf>
std::vector<Tower::Level> towering(const Problem& problem, double r, LevelOf level_of) {
  std::vector<Tower::Level> levels;
  double below = 1;  ///< arms that one arrival at this level stands for
  for (int l = 1; below < static_cast<double>(problem.arms) || levels.empty(); ++l) {
    levels.push_back(level_of(l, r));
    below *= static_cast<double>(levels.back().capacity);
    r = std::exp2(std::min(r, 1000.0));
  }
  return levels;
}

}  // namespace

std::vector<Tower::Level> Tower::log_levels(const Problem& problem) {
  const int count = std::max(1, static_cast<int>(std::log(static_cast<double>(problem.arms))));
  std::vector<Level> levels;
  levels.reserve(static_cast<std::size_t>(count));
  for (int l = 0; l < count; ++l) levels.push_back({pulls(std::pow(1.2, l) * problem.unit()), 6});
  return levels;
}

std::vector<Tower::Level> Tower::loglog_levels(const Problem& problem) {
  const double log_arms = std::log(static_cast<double>(std::max<std::uint64_t>(3, problem.arms)));
  const int below = static_cast<int>(std::log(log_arms));
  std::vector<Level> levels;
  levels.reserve(static_cast<std::size_t>(below) + 1);
  for (int l = 0; l < below; ++l) levels.push_back({pulls(std::pow(1.2, l) * problem.unit()), 10});
  levels.push_back({pulls(log_arms * problem.unit()), 1});
  return levels;
}

std::vector<Tower::Level> Tower::log_star_levels(const Problem& problem) {
  return towering(problem, 2, [&](int l, double r) {
    return Level{pulls((l == 1 ? 1 : r) * problem.unit()), pulls(std::exp2(std::min(r, 62.0)))};
  });
}

std::vector<Tower::Level> Tower::log_star_theory_levels(const Problem& problem) {
  constexpr double kDelta = 0.1;
  return towering(problem, 4, [&](int l, double r) {
    const double epsilon = problem.epsilon() / (10 * std::exp2(l - 1));
    return Level{pulls(4 / (epsilon * epsilon) * (std::log(1 / kDelta) + 3 * r)),
                 pulls(std::exp2(std::min(r, 62.0)) / std::exp2(l - 1))};
  });
}

Request Tower::arrive() {
  hand_ = kArriving;
  level_ = 0;
  return climb();
}

Request Tower::climb() {
  if (!arms_.holds(level_)) {
    arms_.move(hand_, level_);
    phase_ = kIdle;
    return Request::done();
  }
  phase_ = kStored;
  return Request::pull(level_, levels_[static_cast<std::size_t>(level_)].pulls);
}

Request Tower::answer(double mean) {
  const auto l = static_cast<std::size_t>(level_);
  if (phase_ == kFinal) {
    if (best_ == kNowhere || mean > mean_) best_ = level_, mean_ = mean;
    ++level_;
    return next_final();
  }
  if (phase_ == kStored) {
    mean_ = mean;
    phase_ = kHand;
    return Request::pull(hand_, levels_[l].pulls);
  }
  if (mean > mean_) {
    arms_.drop(level_);
    arms_.move(hand_, level_);
  } else {
    arms_.drop(hand_);
  }
  if (++challenges_[l] < levels_[l].capacity || l + 1 == levels_.size()) {
    phase_ = kIdle;
    return Request::done();
  }
  challenges_[l] = 0;
  hand_ = level_++;
  return climb();
}

Request Tower::end() {
  phase_ = kFinal;
  level_ = 0;
  return next_final();
}

Request Tower::next_final() {
  for (; static_cast<std::size_t>(level_) < levels_.size(); ++level_)
    if (arms_.holds(level_)) return Request::pull(level_, pulls(4 * static_cast<double>(levels_[0].pulls)));
  return Request::done();
}

Place Tower::best() const {
  if (best_ != kNowhere) return best_;
  // Nobody was tested more than the arm at the top.
  for (auto l = static_cast<Place>(levels_.size()) - 1; l >= 0; --l)
    if (arms_.holds(l)) return l;
  return kNowhere;
}

void Tower::save(Archive& state) const {
  state.set("challenges", std::vector<std::int64_t>(challenges_.begin(), challenges_.end()));
  state.set("phase", phase_);
  state.set("hand", static_cast<std::int64_t>(hand_));
  state.set("level", static_cast<std::int64_t>(level_));
  state.set("mean", mean_);
  state.set("best", static_cast<std::int64_t>(best_));
}

void Tower::load(const Archive& state) {
  const auto challenges = state.get<std::vector<std::int64_t>>("challenges");
  if (challenges.size() != levels_.size())
    throw bad_data("the checkpoint is of a tower of " + std::to_string(challenges.size()) +
                   " levels, this one has " + std::to_string(levels_.size()));
  challenges_.assign(challenges.begin(), challenges.end());
  phase_ = state.get<std::int64_t>("phase");
  hand_ = static_cast<Place>(state.get<std::int64_t>("hand"));
  level_ = static_cast<Place>(state.get<std::int64_t>("level"));
  mean_ = state.get<double>("mean");
  best_ = static_cast<Place>(state.get<std::int64_t>("best"));
}

}  // namespace stream::bandits
