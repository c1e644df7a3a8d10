/// One network, its eligibility traces, and the rule by which a TD error moves its weights.
#pragma once

#include <string>

#include "rl/aligned.hpp"
#include "rl/network.hpp"
#include "stream/archive.hpp"

namespace stream::rl {

enum class Rule : std::uint8_t {
  kObgd,          ///< overshooting-bounded gradient descent (Elsayed et al., algorithm 3)
  kAdaptiveObgd,  ///< the same with traces divided by the root of their second moment
  kSgd,           ///< w <- w + rate delta z: the classic algorithms
  kAdam,          ///< Adam on the gradient -delta z
};

struct Optimizer {
  Rule rule = Rule::kObgd;
  double rate = 1;   ///< alpha of ObGD, step size of the others
  double kappa = 2;  ///< of ObGD: one update moves the weights by 1/kappa at most, in all
};

class TraceLearner {
 public:
  TraceLearner(const Network::Shape& shape, const Optimizer& optimizer, double sparsity, Random& random);

  const Network& network() const { return *network_; }
  /// Outputs for x under the present weights; `learn` differentiates at the newest x given here.
  std::span<const double> forward(std::span<const double> x) {
    return network_->forward(weights(), x, activations_.data());
  }
  /// Outputs of the newest `forward`.
  std::span<const double> outputs() const { return network_->outputs(activations_.data()); }
  /// Outputs for x under the present weights, for this thread's next `peek` to overwrite; what `forward` left
  /// stays.
  std::span<const double> peek(std::span<const double> x) const;

  /// z <- decay z + gradient of sum over o of weight[o] output[o]; w <- w + step delta z; z <- 0 if `reset`.
  /// Returns the step: alpha, or what ObGD makes of it.
  double learn(std::span<const double> weight, double delta, double decay, bool reset);
  /// z <- 0, as where an episode was broken off.
  void clear_traces();
  std::int64_t updates() const { return updates_; }

  std::span<const double> parameters() const { return {memory_.data(), network_->parameters()}; }
  std::span<const double> traces() const {
    return {memory_.data() + network_->parameters(), network_->parameters()};
  }
  std::span<double> parameters() { return {memory_.data(), network_->parameters()}; }

  void save(Archive& state) const;
  /// The outputs of the newest `forward` are not saved: give it the same x again.
  void load(const Archive& state);
  std::size_t state_bytes() const {
    return (memory_.size() + activations_.size()) * sizeof(double) + sizeof *this;
  }

 private:
  double* weights() { return memory_.data(); }
  const double* weights() const { return memory_.data(); }
  double* part(std::size_t i) { return memory_.data() + i * network_->parameters(); }

  std::shared_ptr<const Network> network_;
  Optimizer optimizer_;
  Doubles memory_;  ///< parameters, traces, second moments, first moments, as the rule needs them
  Doubles activations_;
  std::int64_t updates_ = 0;
};

}  // namespace stream::rl
