#include "bandits/policy.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "bandits/champion.hpp"
#include "bandits/game_of_arms.hpp"
#include "bandits/tower.hpp"
#include "bandits/uniform_exploration.hpp"

namespace stream::bandits {

double Problem::epsilon() const { return std::cbrt(static_cast<double>(arms) / static_cast<double>(trials)); }

const std::vector<std::string>& algorithm_names() {
  static const std::vector<std::string> kNames = {"uniform",        "naive",    "log-tower",   "loglog-tower",
                                                  "log-star-tower", "champion", "game-of-arms"};
  return kNames;
}

namespace {

std::vector<Tower::Level> levels_of(const Problem& problem, const PolicyOptions& options) {
  if (options.algorithm == "log-tower") return Tower::log_levels(problem);
  if (options.algorithm == "loglog-tower") return Tower::loglog_levels(problem);
  return options.theory_constants ? Tower::log_star_theory_levels(problem) : Tower::log_star_levels(problem);
}

std::uint64_t pulls(double count) {
  return static_cast<std::uint64_t>(std::clamp(std::round(count), 1.0, 9e18));
}

}  // namespace

std::size_t memory_of(const Problem& problem, const PolicyOptions& options) {
  if (options.algorithm.ends_with("tower")) return levels_of(problem, options).size();
  return options.algorithm == "game-of-arms" ? 2 : 1;
}

std::unique_ptr<Policy> make_policy(const Problem& problem, const PolicyOptions& options, ArmMemory& arms) {
  const std::string& name = options.algorithm;
  const double log_arms = std::log(std::max(2.0, static_cast<double>(problem.arms)));
  if (name == "uniform") {
    const double per_arm = static_cast<double>(problem.trials) / static_cast<double>(problem.arms);
    return std::make_unique<UniformExploration>(
        arms, pulls(std::pow(per_arm, 2.0 / 3) * std::cbrt(std::log(static_cast<double>(problem.trials)))));
  }
  if (name == "naive") return std::make_unique<UniformExploration>(arms, pulls(log_arms * problem.unit()));
  if (name == "champion") return std::make_unique<Champion>(arms, problem);
  if (name == "game-of-arms") return std::make_unique<GameOfArms>(arms, problem, options.seed);
  if (name.ends_with("tower")) return std::make_unique<Tower>(arms, levels_of(problem, options));
  throw std::logic_error("no single-pass algorithm is called " + name);
}

}  // namespace stream::bandits
