#include "diffusion_policy/rollouts.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

#include "environments/gate_world.hpp"
#include "environments/twin_track.hpp"

namespace stream::diffusion_policy {
namespace {

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// -1, 0 or 1: the side on which the robot is, 0 where it does not count yet.
int side_of(const std::string& environment, std::span<const double> seen) {
  constexpr double kUndecided = 0.05;
  double offset = 0;
  if (environment == "gate-world") {
    using G = GateWorld;
    if (std::abs(seen[G::kPosition + 1] - G::kDiscHeight) > 2 * G::kDiscRadius) return 0;
    offset = seen[G::kPosition] - seen[G::kDisc];
  } else if (environment == "twin-track") {
    offset = seen[TwinTrack::kFromReference];
  }
  return offset < -kUndecided ? -1 : offset > kUndecided ? 1 : 0;
}

struct Robot {
  std::unique_ptr<Environment> world;
  std::vector<float> history;  ///< the last To observations
  bool running = true;
  int side = 0;
  double best_reward = -std::numeric_limits<double>::infinity();
};

}  // namespace

Rollouts roll_out(Sampler& sampler, const RolloutOptions& options, const Context& context) {
  const DenoiserShape& shape = sampler.policy().network->shape();
  const std::string task = options.environment.substr(0, options.environment.find(' '));
  std::vector<Robot> robots(static_cast<std::size_t>(options.episodes));
  std::vector<Random> generators;
  const auto remember = [&](Robot& robot, std::span<const double> seen) {
    robot.history.erase(robot.history.begin(), robot.history.begin() + shape.observation);
    robot.history.insert(robot.history.end(), seen.begin(), seen.end());
  };
  for (std::size_t i = 0; i < robots.size(); ++i) {
    Robot& robot = robots[i];
    Random random(stable_hash(std::to_string(i), options.seed ^ 0xcbf29ce484222325ull));
    robot.world = make_environment(options.environment, context);
    const auto seen = robot.world->reset(random());
    for (std::int64_t t = 0; t < shape.observed; ++t)
      robot.history.insert(robot.history.end(), seen.begin(), seen.end());
    generators.emplace_back(random());
  }
  sampler.reset(std::move(generators));
  Rollouts out;
  out.episodes = options.episodes;
  std::vector<double> seconds;
  double reward = 0, switches = 0, ticks = 0, successes = 0, left = 0;
  const std::int64_t executed = sampler.policy().executed;
  while (std::any_of(robots.begin(), robots.end(), [](const Robot& r) { return r.running; })) {
    // Robots that are done stay in the batch, so that its shape and everybody else's rounding do not change.
    std::vector<float> seen;
    for (const Robot& robot : robots) seen.insert(seen.end(), robot.history.begin(), robot.history.end());
    const double before = thread_seconds();
    const std::vector<float> actions = sampler.call(seen);
    seconds.push_back(thread_seconds() - before);
    out.calls.push_back(sampler.network_calls());
    for (std::size_t b = 0; b < robots.size(); ++b) {
      Robot& robot = robots[b];
      for (std::int64_t t = 0; t < executed && robot.running; ++t) {
        const float* const a = actions.data() + (static_cast<std::int64_t>(b) * executed + t) * shape.action;
        const Transition next = robot.world->step(std::vector<double>(a, a + shape.action));
        remember(robot, next.observation);
        reward += next.reward;
        robot.best_reward = std::max(robot.best_reward, next.reward);
        ++ticks;
        if (const int side = side_of(task, next.observation); side != 0) {
          switches += robot.side != 0 && side != robot.side;
          robot.side = side;
        }
        robot.running = !next.over();
        if (next.terminated && next.reward >= 1) {
          ++successes;
          left += robot.side < 0;
        }
      }
    }
  }
  const auto n = static_cast<double>(options.episodes);
  out.success = successes / n;
  out.left = successes > 0 ? left / successes : 0;
  out.mean_reward = reward / ticks;
  for (const Robot& robot : robots) out.best_reward += robot.best_reward / n;
  out.switches = switches / n;
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  out.seconds_a_call = seconds[seconds.size() / 2];
  return out;
}

}  // namespace stream::diffusion_policy
