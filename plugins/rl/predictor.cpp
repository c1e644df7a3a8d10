#include "rl/predictor.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::rl {

Predictor::Predictor(const Settings& settings, std::size_t observation, double input_trace, Random random)
    : gamma_(settings.gamma),
      decay_(settings.gamma * settings.lambda),
      scale_rewards_(settings.scale_rewards),
      input_(observation, settings.normalize, settings.time_limit),
      scaler_(settings.gamma),
      learner_(settings.shape(input_.inputs(), 1), settings.value_optimizer(), settings.sparsity, random),
      beta_(input_trace),
      trace_(input_trace > 0 ? observation : 0),
      trace_next_(trace_.size()),
      corrected_(trace_.size()) {}

/// trace <- beta trace + (1 - beta) x, over 1 - beta^t.
std::span<const double> Predictor::traced(std::span<const double> x) {
  if (trace_.empty()) return x;
  const double weight = 1 - std::pow(beta_, static_cast<double>(events_ + 1));
  for (std::size_t i = 0; i < x.size(); ++i) {
    trace_next_[i] = beta_ * trace_[i] + (1 - beta_) * x[i];
    corrected_[i] = trace_next_[i] / weight;
  }
  return corrected_;
}

Predictor::Prediction Predictor::observe(std::span<const double> x, double cumulant, bool end) {
  input_.check(x);
  if (!acceptable(cumulant))
    throw bad_data("the cumulant is " + std::to_string(cumulant) +
                   ", expected a number between -1e100 and 1e100");
  const auto seen = traced(x);
  const auto next = input_.preview(seen, !running_);
  RewardScaler scaler = scaler_;
  Prediction out{0, std::nullopt, 0};
  double value = 0;
  if (!end) value = learner_.peek(next)[0];
  if (running_) {
    const double scaled = scaler.scale(cumulant, end);
    const double delta = (scale_rewards_ ? scaled : cumulant) + gamma_ * value - learner_.outputs()[0];
    if (!std::isfinite(delta))
      throw failed("the learner has diverged: its TD error is not finite any more (a smaller rate may help)");
    constexpr double kOne = 1;
    out.step = learner_.learn({&kOne, 1}, delta, decay_, end);
    out.delta = delta;
  }
  scaler_ = scaler;
  const double unit = scale_rewards_ ? scaler_.deviation() : 1;
  out.value = value * unit;
  if (out.delta) *out.delta *= unit;
  running_ = !end;
  if (running_) learner_.forward(next);
  input_.commit(seen);
  std::swap(trace_, trace_next_);
  ++events_;
  return out;
}

void Predictor::save(Archive& state) const {
  learner_.save(state.group("value"));
  input_.save(state.group("observation"));
  scaler_.save(state.group("reward"));
  state.set("trace", trace_);
  state.set("events", events_);
  state.set("running", running_);
}

void Predictor::load(const Archive& state) {
  learner_.load(state.group("value"));
  input_.load(state.group("observation"));
  scaler_.load(state.group("reward"));
  auto trace = state.get<std::vector<double>>("trace");
  if (trace.size() != trace_.size())
    throw bad_data("the saved trace of observations has " + std::to_string(trace.size()) +
                   " numbers, expected " + std::to_string(trace_.size()));
  trace_ = std::move(trace);
  events_ = state.get<std::int64_t>("events");
  running_ = state.get<bool>("running");
  if (running_) learner_.forward(input_.now());
}

std::size_t Predictor::state_bytes() const {
  return sizeof *this - sizeof learner_ + learner_.state_bytes() + input_.state_bytes() +
         3 * trace_.size() * sizeof(double);
}

}  // namespace stream::rl
