/// The same learners written with libtorch's modules and automatic differentiation, straight from the
/// equations: what the kernels are compared with, for equality and for speed.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "rl/network.hpp"

namespace stream::rl {

/// stream Q's value network and ObGD, in double precision.
class TorchLearner {
 public:
  TorchLearner(const Network::Shape& shape, double rate, double kappa);
  ~TorchLearner();
  /// Takes over the parameters of a Network, laid out as Network::index says.
  void copy(const Network& network, std::span<const double> parameters);
  /// Outputs under the present weights.
  std::vector<double> outputs(std::span<const double> x);
  /// One update as TraceLearner::learn, of one output at x. `delta` gives the TD error from that output.
  void learn(std::span<const double> x, std::size_t output, double decay, bool reset,
             const std::function<double(double)>& delta);
  /// The largest difference from the parameters of a Network.
  double difference(const Network& network, std::span<const double> parameters) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stream::rl
