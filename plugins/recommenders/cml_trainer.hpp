/// Trains the metric on tickets.
#pragma once

#include <memory>

#include "nn/adamw.hpp"
#include "recommenders/cml_data.hpp"
#include "recommenders/cml_network.hpp"

namespace stream::recommenders {

struct CmlTrainerOptions {
  CmlShape shape;     ///< features and covariates are filled in
  CmlLoss loss;       ///< films is filled in
  double rate = 0.1;  ///< share of what was not bought that is learnt from, drawn anew in each epoch
  std::int64_t batch = 512, epochs = 4, patience = 2;
  double learning_rate = 2e-3, weight_decay = 3e-2;
  std::size_t beside = 10;  ///< S: films of the same weeks that a positive is set against
};

class CmlTrainer {
 public:
  CmlTrainer(std::shared_ptr<const CmlData> data, CmlTrainerOptions options, Random random);

  bool finished() const { return epoch_ >= options_.epochs || stale_ >= options_.patience; }
  /// One update; at the end of an epoch the validation.
  void step();
  std::int64_t steps() const { return steps_; }
  std::int64_t epoch() const { return epoch_; }
  double loss() const { return loss_; }
  /// Cross-entropy on the films for validation; without any, of the last batch.
  double validation() const { return validation_; }
  double fraction() const;
  const CmlData& data() const { return *data_; }
  std::int64_t parameters() const { return optimiser_->parameters(); }
  /// The best weights: tower, and a head whose intercept is put right, by ln of the rate at which what was
  /// not bought was sampled, and so that over the training part the mean of P is the share that was bought.
  FilmTower tower() const { return best_->tower(); }
  PurchaseHead head() const;
  const CmlNetwork& network() const { return *best_; }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }
  /// Samples as tensors; `others` are drawn from `random` when it is given.
  CmlBatch batch_of(std::span<const CmlSample> samples, Random* random) const;

 private:
  void begin_epoch();
  void validate();
  std::int64_t steps_in_epoch() const;
  std::shared_ptr<const CmlData> data_;
  CmlTrainerOptions options_;
  Random random_, epoch_random_;  ///< the second as it was when the epoch began
  std::vector<CmlSample> samples_, validation_samples_;
  std::shared_ptr<CmlNetwork> network_, best_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::int64_t steps_ = 0, epoch_ = 0, at_ = 0, stale_ = 0;
  double loss_ = 0, validation_ = 0, best_validation_ = 1e300;
};

/// The tower's model, ready to be written: with the films that it was trained on.
CmlModel model_of(const CmlData& data, FilmTower tower, PurchaseHead head, std::vector<std::string> amounts);

}  // namespace stream::recommenders
