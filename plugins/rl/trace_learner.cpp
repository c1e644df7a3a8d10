#include "rl/trace_learner.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "rl/kernels.hpp"
#include "stream/error.hpp"

namespace stream::rl {

namespace {
constexpr std::array<const char*, 4> kParts = {"weights", "traces", "second_moments", "first_moments"};
constexpr double kBeta = 0.999;  ///< of second moments

std::size_t parts_of(Rule rule) { return rule == Rule::kAdam ? 4 : rule == Rule::kAdaptiveObgd ? 3 : 2; }
/// 1 / (1 - beta^t)
double unbias(double beta, std::int64_t t) { return 1 / (1 - std::pow(beta, static_cast<double>(t))); }
}  // namespace

TraceLearner::TraceLearner(const Network::Shape& shape, const Optimizer& optimizer, double sparsity,
                           Random& random)
    : network_(Network::shared(shape)),
      optimizer_(optimizer),
      memory_(parts_of(optimizer.rule) * network_->parameters()),
      activations_(network_->activations()) {
  network_->initialise(weights(), random, sparsity);
}

std::span<const double> TraceLearner::peek(std::span<const double> x) const {
  thread_local Doubles scratch;
  if (scratch.size() < network_->activations()) scratch.resize(network_->activations());
  return network_->forward(weights(), x, scratch.data());
}

double TraceLearner::learn(std::span<const double> weight, double delta, double decay, bool reset) {
  const Kernels& k = kernels();
  const std::size_t n = network_->parameters();
  double *const w = part(0), *const z = part(1);
  double norm = network_->trace(w, activations_.data(), weight, decay, z);
  ++updates_;
  double step = optimizer_.rate;
  if (optimizer_.rule == Rule::kObgd || optimizer_.rule == Rule::kAdaptiveObgd) {
    const bool adaptive = optimizer_.rule == Rule::kAdaptiveObgd;
    const double correction = adaptive ? unbias(kBeta, updates_) : 1;
    if (adaptive) norm = k.second_moment(part(2), z, delta, kBeta, correction, n);
    const double bound = optimizer_.rate * optimizer_.kappa * std::max(std::abs(delta), 1.0) * norm;
    step = optimizer_.rate / std::max(bound, 1.0);
    if (adaptive)
      k.scaled_step(w, z, part(2), step * delta, correction, n);
    else
      k.step(w, z, step * delta, n);
  } else if (optimizer_.rule == Rule::kSgd) {
    k.step(w, z, step * delta, n);
  } else {
    k.adam_step(w, part(3), part(2), z, delta, step, unbias(0.9, updates_), unbias(kBeta, updates_), n);
  }
  if (reset) clear_traces();
  return step;
}

void TraceLearner::clear_traces() { std::fill(part(1), part(1) + network_->parameters(), 0.0); }

void TraceLearner::save(Archive& state) const {
  const std::size_t n = network_->parameters();
  for (std::size_t i = 0; i < parts_of(optimizer_.rule); ++i)
    state.set(kParts[i], std::span<const double>(memory_.data() + i * n, n));
  state.set("updates", updates_);
}

void TraceLearner::load(const Archive& state) {
  const std::size_t n = network_->parameters();
  for (std::size_t i = 0; i < parts_of(optimizer_.rule); ++i) {
    const auto values = state.tensor(kParts[i]).values<double>();
    if (values.size() != n)
      throw bad_data("the saved " + std::string(kParts[i]) + " are " + std::to_string(values.size()) +
                     " numbers, expected " + std::to_string(n) + ": the network had another shape");
    std::copy(values.begin(), values.end(), part(i));
  }
  updates_ = state.get<std::int64_t>("updates");
}

}  // namespace stream::rl
