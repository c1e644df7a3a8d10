/// Trains a point process on a stream of tasks, one after the other, keeping nothing of past ones.
#pragma once

#include <memory>

#include "events/prompt_tpp.hpp"
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

struct TppOptions {
  TppShape shape;
  std::int64_t batch = 50, first_epochs = 30, epochs = 10;
  double first_rate = 1e-2, rate = 1e-3;  ///< of the base, on the first task and afterwards: the slow refresh
  double prompt_rate = 1e-1;
  double pull = 0.1;  ///< alpha: how much keys are drawn to the queries that chose them
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
  /// Mean over events of (log-likelihood, share of types not foretold) on these sequences.
  struct Score {
    double log_likelihood, type_error;
  };
  Score score(std::span<const Sequence> sequences, std::int64_t points = 0) const;
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
  TppOptions options_;
  Random random_;
  std::shared_ptr<PromptTpp> network_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::unique_ptr<RowAdam> prompt_optimiser_, key_optimiser_;
  std::vector<Sequence> sequences_;
  std::vector<std::int64_t> order_;
  std::int64_t task_ = -1, epoch_ = 0, at_ = 0, steps_ = 0;
  double loss_ = 0;
};

}  // namespace stream::events
