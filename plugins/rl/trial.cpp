#include "rl/trial.hpp"

#include <cmath>
#include <limits>

#include "stream/error.hpp"

namespace stream::rl {

namespace {
constexpr double kLate = 0.8;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Sums by part of a life.
struct Means {
  double sum = 0;
  std::int64_t count = 0;
  void add(double x) { sum += x, ++count; }
  double value() const { return count > 0 ? sum / static_cast<double>(count) : kNaN; }
};
}  // namespace

Controller controller_of(const Trial& trial, const Environment& environment, std::uint64_t seed) {
  Settings settings = trial.settings;
  settings.time_limit = static_cast<double>(environment.limit());
  settings.epsilon_steps = trial.exploring * static_cast<double>(trial.steps);
  const Spaces& spaces = environment.spaces();
  if (const auto& shape = spaces.observation.shape; shape.size() == 3)
    settings.grid = {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]),
                     static_cast<std::size_t>(shape[2])};
  else
    settings.filters = 0;
  return Controller(trial.algorithm, settings, spaces.observation.size(),
                    {static_cast<std::size_t>(spaces.action.choices), spaces.action.size()},
                    Random(stable_hash("learner", seed)));
}

Life live(const Trial& trial, std::uint64_t seed, const Context& context) {
  const auto environment = make_environment(trial.environment, context);
  Controller controller = controller_of(trial, *environment, seed);
  Random episodes(stable_hash("episodes", seed));
  std::vector<Means> parts(kCurvePoints);
  Means late;
  Life life;
  double sum = 0;
  try {
    for (std::int64_t t = 0; t < trial.steps; ++t) {
      if (!controller.acting()) controller.begin(environment->reset(episodes()));
      const Transition seen = environment->step(controller.action());
      sum += seen.reward;
      controller.step(seen.reward, seen.observation, seen.over());
      if (!seen.over()) continue;
      const double age = static_cast<double>(t) / static_cast<double>(trial.steps);
      parts[static_cast<std::size_t>(age * static_cast<double>(kCurvePoints))].add(sum);
      if (age >= kLate) late.add(sum);
      sum = 0;
    }
  } catch (const Error& e) {
    if (e.code() != ExitCode::kFailed) throw;
    life.diverged = true;
  }
  life.late_return = life.diverged ? kNaN : late.value();
  for (const Means& part : parts)
    life.curve.push_back(part.count > 0 || life.curve.empty() ? part.value() : life.curve.back());
  return life;
}

}  // namespace stream::rl
