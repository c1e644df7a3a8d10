/// PromptTPP: an attentive neural Hawkes process whose attention also sees prompts, retrieved by what the
/// sequence was like so far.
///
/// Xue, Wang, Chu, Shi, Jiang et al., "Prompt-augmented Temporal Point Process for Streaming Event Sequence",
/// NeurIPS 2023, arXiv 2310.04993; the base is AttNHP (Yang, Mei, Eisner, ICLR 2022) with one layer.
/// Retrieval is causal, which it is not in the published code.
#pragma once

#include "events/hawkes.hpp"
#include "nn/blocks.hpp"

namespace stream::events {

enum class Retrieval : std::uint8_t {
  kNone,        ///< no prompts: the plain process
  kSimilarity,  ///< the prompt whose key is the most similar to the query
  kRandom,      ///< any: the control
};

struct TppShape {
  std::int64_t types = 6;
  std::int64_t type_features = 16, time_features = 8, heads = 2;
  std::int64_t points = 8;  ///< of each interval, both ends included, for the integral
  std::int64_t prompts = 16, prompt_rows = 8, block = 5;  ///< in a pool; of a prompt; events for one choice
  Retrieval retrieval = Retrieval::kSimilarity;
  std::int64_t row() const { return type_features + time_features; }
  std::int64_t pools() const { return 2 * heads; }
};

/// Sequences of one length, as tensors.
struct TppBatch {
  at::Tensor times;  ///< [B, n] float32, from 0
  at::Tensor types;  ///< [B, n] int64
};
TppBatch batch_of(std::span<const Sequence> sequences);

class PromptTpp : public torch::nn::Module {
 public:
  PromptTpp(TppShape shape, std::uint64_t seed);

  /// What a retrieval sees of each block: [B, blocks, type_features] and the mean gap so far [B, blocks],
  /// both of the events up to the block's first.
  struct Context {
    at::Tensor query, gap;
  };
  Context context(const TppBatch& batch) const;
  /// Which prompt of each pool: [pools, B, blocks]. `random` is drawn from for Retrieval::kRandom.
  at::Tensor choose(const Context& context, Random& random) const;
  /// The same for a whole batch in training: the prompt chosen most often, of each pool.
  at::Tensor choose_for_all(const at::Tensor& chosen) const;

  /// Intensities [B, n - 1, points, K] at equidistant points of every interval, its ends included: the first
  /// point is the limit from the right, the last the time of the next event, which is not seen.
  at::Tensor intensities(const TppBatch& batch, const Context& context, const at::Tensor& chosen,
                         std::int64_t points) const;
  /// The same at any times [B, n - 1, S]: row i is of events 0 to i alone, and its times are none before
  /// event i's.
  at::Tensor intensities_at(const TppBatch& batch, const Context& context, const at::Tensor& chosen,
                            const at::Tensor& times) const;
  /// Those equidistant points: [B, n - 1, points].
  static at::Tensor points_of(const TppBatch& batch, std::int64_t points);
  /// Log-likelihood of each event from the second on, [B, n - 1].
  static at::Tensor log_likelihoods(const TppBatch& batch, const at::Tensor& intensities);
  /// Mean over the batch of cos(query, key of the chosen prompt), added up over the pools.
  at::Tensor similarity(const Context& context, const at::Tensor& chosen) const;

  const TppShape& shape() const { return shape_; }
  /// The prompts and their keys, which no optimiser of the module moves: [pools, prompts, rows,
  /// type_features] and [pools, prompts, type_features].
  at::Tensor prompts, keys;

 private:
  at::Tensor time_code(const at::Tensor& t) const;
  TppShape shape_;
  at::Tensor types_;   ///< [K, type_features]
  at::Tensor frozen_;  ///< its start, centred: what queries are made of
  std::vector<std::shared_ptr<nn::Linear>> query_, key_, value_;  ///< of each head
  std::shared_ptr<nn::Linear> intensity_;
};

}  // namespace stream::events
