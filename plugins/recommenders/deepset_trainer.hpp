/// Trains the DeepSet, or a network on means, on listeners with known attributes.
#pragma once

#include "nn/adamw.hpp"
#include "nn/blocks.hpp"
#include "recommenders/deepset_model.hpp"

namespace stream::recommenders {

/// Listeners, standardised and with classes, split. What is learnt of scales and cut points is learnt from
/// the listeners for training alone.
struct ListenerData {
  std::shared_ptr<const ListenerTable> table;
  ListenerSplit split;
  std::vector<AttributeClasses> attributes;
  Standardiser standardiser;
  std::vector<std::vector<float>> x;      ///< of each listener [n, kPlaylistFeatures], standardised
  std::vector<std::vector<int>> classes;  ///< of each listener, by attribute; -1: not known
  /// `bins` of attributes that are numbers, by name; 2 unless it is there.
  ListenerData(std::shared_ptr<const ListenerTable> table, ListenerSplit split,
               const std::map<std::string, std::size_t>& bins = {});
  std::size_t playlists(std::size_t listener) const { return x[listener].size() / kPlaylistFeatures; }
  /// Mean of a listener's standardised playlists [kPlaylistFeatures].
  std::vector<float> mean(std::size_t listener) const;
  /// Class shares among the listeners for training.
  std::vector<double> shares(std::size_t attribute) const;
};

struct DeepSetOptions {
  bool averaged = false;  ///< the baseline: playlists are averaged before the network sees them
  bool maximum = true;    ///< false: the mean alone is pooled
  std::int64_t batch = 64, epochs = 60, patience = 10;
  double learning_rate = 1e-3, weight_decay = 1e-2, dropout = 0.3;
};

class DeepSetNetwork : public torch::nn::Module {
 public:
  DeepSetNetwork(std::int64_t outputs, const DeepSetOptions& options, const at::Generator& generator);
  /// x [B, N, kPlaylistFeatures], there [B, N]: 1 where there is a playlist, which every row has. Returns
  /// logits [B, outputs].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& there, const at::Generator* dropout) const;
  DeepSetModel::Weights weights() const;

 private:
  DeepSetOptions options_;
  std::shared_ptr<nn::Linear> phi1_, phi2_, rho_, heads_;
};

class DeepSetTrainer {
 public:
  /// Throws Error(kBadData) when there is nobody to train on.
  DeepSetTrainer(std::shared_ptr<const ListenerData> data, DeepSetOptions options, Random random);
  bool finished() const { return epoch_ >= options_.epochs || stale_ >= options_.patience; }
  void step();
  std::int64_t steps() const { return steps_; }
  std::int64_t epoch() const { return epoch_; }
  double loss() const { return loss_; }
  double validation() const { return validation_; }
  double fraction() const;
  std::int64_t parameters() const { return optimiser_->parameters(); }
  const ListenerData& data() const { return *data_; }
  /// Probabilities by the best weights, of each of these listeners.
  std::vector<AttributeProbabilities> predict(std::span<const std::size_t> listeners) const;
  /// The best weights, and what they are worth on the test.
  DeepSetModel model() const;
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }
  /// Inputs of these listeners as tensors.
  std::pair<at::Tensor, at::Tensor> inputs(std::span<const std::size_t> listeners) const;

 private:
  at::Tensor loss_of(std::span<const std::size_t> listeners, const at::Tensor& logits) const;
  void validate();
  std::int64_t steps_in_epoch() const;
  std::shared_ptr<const ListenerData> data_;
  DeepSetOptions options_;
  Random random_;
  std::vector<std::size_t> order_;
  std::vector<at::Tensor> class_weights_;
  std::shared_ptr<DeepSetNetwork> network_, best_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::int64_t steps_ = 0, epoch_ = 0, at_ = 0, stale_ = 0;
  double loss_ = 0, validation_ = 0, best_validation_ = 1e300;
};

/// Mean over classes of the share of their listeners that are found; classes without listeners do not count.
/// Probabilities [listeners][classes]; truth -1 is passed over. NaN of nothing.
double balanced_accuracy(std::span<const std::vector<double>> probabilities, std::span<const int> truth);
/// Of the greatest probability, ten bins.
double calibration_of(std::span<const std::vector<double>> probabilities, std::span<const int> truth);

}  // namespace stream::recommenders
