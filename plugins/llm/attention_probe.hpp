/// Whether heads dump attention on the first tokens: the metric of attention sinks, and the norms that go
/// with them (Gu et al. 2025, section 3; arXiv 2410.10781).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "llm/decoder.hpp"

namespace stream::llm {

/// How many of the first positions are looked at.
inline constexpr std::int64_t kSinkPositions = 8;

/// Mean attention that position k (from 0) receives from the queries at and behind it:
/// sum over i >= k of A[i, k] / (T - k), of rows that lie `stride` apart and sum to 1.
double importance(std::span<const float> attention, std::int64_t stride, std::int64_t tokens, std::int64_t k);

class AttentionProbe {
 public:
  /// `threshold`: a head whose importance of a position is above it has a sink there.
  AttentionProbe(std::shared_ptr<const Decoder> decoder, double threshold = 0.3);

  /// One sequence, of at most the model's context, by itself. Under scores whose rows do not sum to 1 (all
  /// but softmax) the weights are divided by the sum of their absolute values in the row first: the paper's
  /// proxy, |sim(q, k)| / sum |sim|, in which a normaliser cancels out.
  /// `maps`, where given, is called for each layer and head with the weights as they are judged.
  void add(std::span<const std::int32_t> tokens, const AttentionTap& maps = {});

  std::int64_t sequences() const { return sequences_; }
  /// Share of (layer, head, sequence) with a sink at position k < kSinkPositions, in percent.
  double sink(std::int64_t k) const;
  /// The same of the bias slot; 0 for a model without one. Under softmax_one: of the ever-present key.
  double sink_bias() const;

  struct Head {
    std::vector<double> importance, share;  ///< by position: mean, and share of sequences with a sink
    double bias_importance = 0, bias_share = 0;
  };
  const Head& head(std::int64_t layer, std::int64_t head) const {
    return heads_[static_cast<std::size_t>(layer * decoder_->config().heads + head)];
  }
  /// Mean 2-norms by layer: of the first position, and of the others; and of each of the first positions.
  /// Hidden states are those behind the layer.
  struct Norms {
    double hidden_first = 0, hidden_others = 0, key_first = 0, key_others = 0, value_first = 0,
           value_others = 0;
    /// Cosine of queries with the first key, and with the others that they see: means over heads and queries
    /// behind the first, all turned to their positions.
    double cosine_first = 0, cosine_others = 0;
    std::vector<double> hidden, key, value;  ///< [kSinkPositions]
  };
  const Norms& norms(std::int64_t layer) const { return norms_[static_cast<std::size_t>(layer)]; }

  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  /// Every number that is kept, in the order of the file.
  template <typename Each>
  void for_each(Each each);

  std::shared_ptr<const Decoder> decoder_;
  double threshold_;
  std::int64_t sequences_ = 0;
  std::vector<Head> heads_;  ///< running means
  std::vector<Norms> norms_;
};

}  // namespace stream::llm
