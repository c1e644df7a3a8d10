/// Trains a point process on a stream of tasks, one after the other, keeping nothing of past ones.
#pragma once

#include <memory>

#include "events/continual.hpp"
#include "events/neural_hawkes.hpp"
#include "nn/adamw.hpp"

namespace stream::events {

/// Adam on the rows of a tensor, of which a step moves those only that it names: momentum must not move
/// prompts that were not chosen.
class RowAdam {
 public:
  /// `rows`: the leading dimensions that make up a row index are flattened: [rows, ...].
  explicit RowAdam(const at::Tensor& values);
  void step(const at::Tensor& gradient, std::span<const std::int64_t> rows, double learning_rate);
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  at::Tensor values_, first_, second_;  ///< [rows, width], views of the caller's memory
  std::vector<std::int64_t> steps_;
};

/// What the intensities are made by.
enum class TppBase : std::uint8_t {
  kAttentive,     ///< PromptTpp, with prompts or without
  kNeuralHawkes,  ///< NeuralHawkes, without
};

struct TppOptions {
  TppShape shape;
  TppBase base = TppBase::kAttentive;
  std::int64_t batch = 50, first_epochs = 30, epochs = 10;
  double first_rate = 1e-2, rate = 1e-3;  ///< of the base, on the first task and afterwards: the slow refresh
  double prompt_rate = 1e-1;
  double pull = 0.1;  ///< alpha: how much keys are drawn to the queries that chose them
  /// For comparison: elastic weight consolidation, and so many sequences of past tasks that are kept, of
  /// which each update draws a batch's worth beside its own. 0: none.
  double elastic = 0;
  std::int64_t replay = 0;
};

class TppTrainer {
 public:
  TppTrainer(TppOptions options, std::uint64_t seed);
  /// Begins the next task with these sequences; those of the one before are let go.
  void begin(std::vector<Sequence> sequences);
  /// One update; false when the task's epochs are done.
  bool step();
  std::int64_t task() const { return task_; }
  std::int64_t steps() const { return steps_; }
  double loss() const { return loss_; }
  std::int64_t parameters() const;  ///< prompts and keys included
  /// Mean over events of (log-likelihood, share of types not foretold) on these sequences.
  struct Score {
    double log_likelihood, type_error;
  };
  Score score(std::span<const Sequence> sequences, std::int64_t points = 0) const;
  /// Root of the mean squared difference between gaps and their means as foretold after each event (of the
  /// gap or the horizon, whichever is less), by the survival function on so many points.
  double gap_error(std::span<const Sequence> sequences, double horizon, std::int64_t points) const;
  /// Chosen prompt of the first pool for each block of each sequence.
  std::vector<std::vector<std::int64_t>> chosen(std::span<const Sequence> sequences) const;
  const PromptTpp& network() const { return *network_; }
  const TppOptions& options() const { return options_; }
  void save(Archive& state) const;
  /// After `begin` with the sequences of the task under way.
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }

 private:
  void shuffle();
  void end_task();
  torch::nn::Module& base();
  bool prompted() const { return options_.shape.retrieval != Retrieval::kNone; }
  struct Retrieved {  ///< empty where there are no prompts
    PromptTpp::Context context;
    at::Tensor chosen;
  };
  Retrieved retrieve(const TppBatch& batch, Random& random) const;
  at::Tensor rates(const TppBatch& batch, const Retrieved& retrieved, const at::Tensor& times) const;
  TppOptions options_;
  Random random_;
  std::shared_ptr<PromptTpp> network_;
  std::shared_ptr<NeuralHawkes> recurrent_;  ///< null for another base
  std::unique_ptr<nn::AdamW> optimiser_;
  std::unique_ptr<RowAdam> prompt_optimiser_, key_optimiser_;
  std::unique_ptr<ElasticWeights> elastic_;
  Reservoir memory_;
  std::vector<Sequence> sequences_;
  std::vector<std::int64_t> order_;
  std::int64_t task_ = -1, epoch_ = 0, at_ = 0, steps_ = 0;
  double loss_ = 0;
};

}  // namespace stream::events
