/// The neural Hawkes process: an LSTM whose memory decays between events.
///
/// Mei and Eisner, "The Neural Hawkes Process: A Neurally Self-Modulating Multivariate Point Process",
/// NeurIPS 2017, arXiv 1612.09328, section 3.2.
#pragma once

#include "events/prompt_tpp.hpp"

namespace stream::events {

class NeuralHawkes : public torch::nn::Module {
 public:
  /// `features`: of the embedding of a type and of the hidden state.
  NeuralHawkes(std::int64_t types, std::int64_t features, std::uint64_t seed);
  /// Intensities [B, n - 1, S, K] at the times [B, n - 1, S]: row i is of events 0 to i alone, and its times
  /// are none before event i's.
  at::Tensor intensities(const TppBatch& batch, const at::Tensor& times) const;

 private:
  std::int64_t features_;
  at::Tensor types_;                               ///< [K, features]
  std::shared_ptr<nn::Linear> gates_, intensity_;  ///< all seven gates in one
};

}  // namespace stream::events
