#include "diffusion_policy/experts.hpp"

#include <algorithm>
#include <cmath>

#include "diffusion_policy/push_t_expert.hpp"
#include "environments/gate_world.hpp"
#include "environments/twin_track.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

/// Of `gain` times the way there, never longer than `top`.
std::vector<double> towards(double dx, double dy, double gain, double top) {
  const double length = std::hypot(dx, dy), step = std::min(gain * length, top);
  if (length < 1e-9) return {0, 0};
  return {dx / length * step, dy / length * step};
}

/// Straight at the disc; then, late, round it on the side that was drawn, and to where the goal is about to
/// be. Nothing that can be seen before the turn tells the side, and behind it the mean of both is a
/// collision.
class GateWorldExpert final : public Expert {
 public:
  void begin(Random& random) override { drawn_ = random.uniform() < 0.5 ? -1 : 1; }
  std::vector<double> act(std::span<const double> o) override {
    using G = GateWorld;
    constexpr double kTurn = G::kDiscHeight - G::kDiscRadius - 0.27, kMargin = 0.16;
    constexpr double kSpeed = 0.13, kGain = 1.5, kLead = 0.25;
    // The speed towards waypoints does not depend on the distance: it would fall to nothing there.
    constexpr double kSteady = 1e9;
    const double x = o[G::kPosition], y = o[G::kPosition + 1], beside = x - o[G::kDisc];
    if (y < kTurn) return towards(-beside, kTurn + 0.08 - y, kSteady, kSpeed);
    if (y < G::kDiscHeight - 0.02) {
      const double side = std::abs(beside) > G::kDiscRadius ? std::copysign(1.0, beside) : drawn_;
      return towards(side * (G::kDiscRadius + kMargin) - beside, G::kDiscHeight - y, kSteady, kSpeed);
    }
    return towards(o[G::kGoal] + kLead * o[G::kGoalVelocity] - x, o[G::kGoal + 1] - y, kGain, kSpeed);
  }
  bool succeeded(const Transition& last) const override { return last.reward >= 1; }

 private:
  double drawn_ = 1;
};

/// To the track on the side that was drawn, ahead by what the spring lags behind.
class TwinTrackExpert final : public Expert {
 public:
  void begin(Random& random) override { side_ = random.uniform() < 0.5 ? -1 : 1; }
  std::vector<double> act(std::span<const double> o) override {
    using T = TwinTrack;
    constexpr double kGain = 1.2, kLead = 0.25, kTop = 0.18;
    return towards(side_ * T::kOffset + kLead * o[T::kReferenceVelocity] - o[T::kFromReference],
                   kLead * o[T::kReferenceVelocity + 1] - o[T::kFromReference + 1], kGain, kTop);
  }

 private:
  double side_ = 1;
};

}  // namespace

std::unique_ptr<Expert> expert_for(const std::string& description) {
  const std::string environment = description.substr(0, description.find(' '));
  if (environment == "gate-world") return std::make_unique<GateWorldExpert>();
  if (environment == "twin-track") return std::make_unique<TwinTrackExpert>();
  if (environment == "push-t") return std::make_unique<PushTExpert>();
  throw bad_recipe("nobody here knows how to demonstrate '" + environment + "'" +
                   did_you_mean(environment, {"gate-world", "twin-track", "push-t"}));
}

Demonstrator::Demonstrator(const DemonstratorOptions& options, const Context& context)
    : options_(options),
      world_(make_environment(options.environment, context)),
      expert_(expert_for(options.environment)) {}

Episode Demonstrator::episode(std::int64_t index) {
  Random random(stable_hash(std::to_string(index), options_.seed ^ 0xcbf29ce484222325ull));
  // An attempt in a hundred or so fails (a kick into the disc). The bound only guards against options under
  // which none can succeed.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    expert_->begin(random);
    Episode out;
    auto seen = world_->reset(random());
    for (Transition next; !next.over(); seen = next.observation) {
      std::vector<double> action = expert_->act(seen);
      for (const double v : seen) out.observations.push_back(static_cast<float>(v));
      for (const double v : action) out.actions.push_back(static_cast<float>(v));
      if (random.uniform() < options_.kicks)
        for (double& v : action) v += options_.kick_size * random.normal();
      next = world_->step(action);
      if (next.over() && expert_->succeeded(next)) return out;
    }
  }
  throw bad_recipe("no attempt of a thousand to demonstrate '" + options_.environment +
                   "' succeeded: are the kicks too many or too strong?");
}

}  // namespace stream::diffusion_policy
