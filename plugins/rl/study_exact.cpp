#include "rl/study_exact.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace stream::rl {

namespace {
constexpr double kSlack = 1e-6, kMiB = 1048576;

/// A learner with its world.
struct Pair {
  std::unique_ptr<Environment> world;
  Controller controller;
  Random episodes;

  Pair(const Trial& trial, std::uint64_t seed, const Context& context)
      : world(make_environment(trial.environment, context)),
        controller(controller_of(trial, *world, seed)),
        episodes(stable_hash("episodes", seed)) {}
  void live(std::int64_t steps) {
    for (std::int64_t t = 0; t < steps; ++t) live();
  }
  void live() {
    if (!controller.acting()) controller.begin(world->reset(episodes()));
    const Transition seen = world->step(controller.action());
    controller.step(seen.reward, seen.observation, seen.over());
  }
};

/// Resident memory of this process; 0 where the system does not tell.
double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}
}  // namespace

bool ExactStudy::step() {
  if (done_ == 3) return false;
  if (done_ == 0) measure_bound();
  if (done_ == 1) measure_memory();
  if (done_ == 2) measure_resume();
  ++done_;
  return true;
}

void ExactStudy::measure_bound() {
  Pair pair(options_.trial, seed_, context_);
  std::vector<double> before;
  for (std::int64_t t = 0; t < options_.updates; ++t) {
    const auto now = pair.controller.value().parameters();
    before.assign(now.begin(), now.end());
    pair.live();
    double moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) moved += std::abs(now[i] - before[i]);
    moved_ = std::max(moved_, moved);
  }
}

void ExactStudy::measure_memory() {
  Pair pair(options_.trial, seed_, context_);
  pair.live(options_.endurance / 100);
  const double resident = resident_bytes();
  state_before_ = pair.controller.state_bytes();
  pair.live(options_.endurance - options_.endurance / 100);
  resident_ = (resident_bytes() - resident) / kMiB;
  state_after_ = pair.controller.state_bytes();
}

void ExactStudy::measure_resume() {
  const std::int64_t half = options_.updates / 20 + 7;
  Pair whole(options_.trial, seed_, context_);
  whole.live(half);
  Archive learner, world;
  whole.controller.save(learner);
  whole.world->save(world);
  // Another seed: whatever is not restored shows.
  Pair resumed(options_.trial, seed_ + 1, context_);
  resumed.controller.load(learner);
  resumed.world->load(world);
  resumed.episodes.restore(whole.episodes.state());
  whole.live(half), resumed.live(half);
  const auto a = whole.controller.value().parameters(), b = resumed.controller.value().parameters();
  for (std::size_t i = 0; i < a.size(); ++i) different_ += a[i] == b[i] ? 0 : 1;
}

std::vector<Object> ExactStudy::records() const {
  const double bound = 1 / options_.trial.settings.kappa_value + kSlack;
  const bool flat = resident_ <= 1 && state_before_ == state_after_;
  return {claim("exact: sum |dw| of every one of " + std::to_string(options_.updates) + " updates",
                "1/kappa = 0.5", nullptr, moved_, "<= 1/kappa + 1e-6", moved_ <= bound && moved_ > 0),
          claim("exact: resident memory, grown between a hundredth and all of " +
                    std::to_string(options_.endurance) + " steps",
                "constant",
                quantity(static_cast<double>(state_before_), "B of state, then ") +
                    quantity(static_cast<double>(state_after_), "B"),
                quantity(resident_, "MiB"), "<= 1 MiB", flat),
          claim("exact: weights that differ after stopping and resuming", "none", nullptr, different_, "0",
                different_ == 0)};
}

}  // namespace stream::rl
