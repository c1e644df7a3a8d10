/// What keeps a learner from forgetting, beside prompts: for comparison.
#pragma once

#include <span>

#include "events/hawkes.hpp"
#include "nn/torch.hpp"
#include "stream/archive.hpp"

namespace stream::events {

/// Elastic weight consolidation (Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks",
/// PNAS 114(13), 2017, equation 3): the loss has lambda / 2 sum over past tasks and weights of
/// F (weight - its value after that task)^2, F being the diagonal of Fisher's information there. Sums over
/// tasks are kept: memory does not grow with their number.
class ElasticWeights {
 public:
  explicit ElasticWeights(const torch::nn::Module& module);
  /// A task has ended: `losses` backpropagates the loss of one sample, whose gradients it finds zeroed; true
  /// while there is another one.
  template <typename Sample>
  void consolidate(std::int64_t samples, Sample backward) {
    for (std::int64_t i = 0; i < samples; ++i) {
      zero_grad();
      backward(i);
      add_squares(1.0 / static_cast<double>(samples));
    }
    zero_grad();
    settle();
  }
  /// Adds the penalty's gradient to the module's gradients.
  void pull(double lambda) const;
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  void zero_grad() const;
  void add_squares(double share);
  void settle();
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> fresh_;            ///< F of the task that is being measured
  std::vector<at::Tensor> weight_, anchor_;  ///< sums over tasks of F, and of F times the weights then
};

/// So many sequences of all that were offered, each with the same chance (reservoir sampling; Vitter, "Random
/// Sampling with a Reservoir", ACM TOMS 11(1), 1985, algorithm R).
class Reservoir {
 public:
  Reservoir(std::size_t most, std::uint64_t seed) : most_(most), random_(seed) {}
  void offer(const Sequence& sequence);
  std::span<const Sequence> kept() const { return kept_; }
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  std::size_t most_;
  std::int64_t offered_ = 0;
  std::vector<Sequence> kept_;
  Random random_;
};

}  // namespace stream::events
