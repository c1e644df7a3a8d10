/// Attention of a block of queries to the segments of one layer, under one softmax.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "llm/memory.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

/// Looks at attention: probabilities [tokens, slots] of one query head, over all slots of all segments that
/// serve it in their order.
using AttentionTap = std::function<void(std::int64_t layer, std::int64_t head, std::int64_t tokens,
                                        std::span<const float> probabilities)>;

/// Weights that attention itself has.
struct AttentionWeights {
  std::vector<float> relative;  ///< [heads, kRelativeBuckets] of Position::kRelative
  struct Layer {
    std::vector<float> kernel_in, kernel_out;  ///< [d, d] of Similarity::kMlpKernel
    std::vector<float> value;                  ///< [kv_heads, d] of AttentionBias::kValue
  };
  std::vector<Layer> layers;
};

/// What attention needs between calls: memory of its own for each thread of work.
class Attention {
 public:
  /// `weights` may be null for models whose attention has none, and must outlive this.
  Attention(const ModelConfig& config, const Rope& rope, const AttentionWeights* weights = nullptr);

  /// queries [tokens, heads, d], not rotated; out [tokens, heads, d]. Calls memory->on_scores for the
  /// segments that want it, when `memory` is given.
  /// Where scores become weights by other means than softmax, so do they here.
  ///
  /// The scores of all segments stand side by side in one row and pass through one softmax; sums run through
  /// slots in the order of segments, so the result does not depend on where one segment ends and the next
  /// begins.
  void attend(std::int64_t layer, std::int64_t tokens, const float* queries,
              std::span<const Segment> segments, Memory* memory, float* out);
  void tap(AttentionTap tap) { tap_ = std::move(tap); }

 private:
  /// Queries of one head turned by a segment's rule, through the kernel where there is one, and scaled:
  /// [tokens, d].
  void turn_queries(std::int64_t layer, const float* queries, std::int64_t head, std::int64_t first,
                    std::int64_t tokens, const Segment& segment, float* out);
  /// The keys of a segment as they are multiplied with queries: those kept, or made ready at `to`.
  const float* ready_keys(std::int64_t layer, const float* keys, const Segment& segment, float* to);
  bool must_be_made_ready(const Segment& segment) const {
    return kernel_ || (!segment.rotated && rope_.half() > 0);
  }
  /// Heads [rows, d] become phi of them.
  void feature(std::int64_t layer, float* x, std::int64_t rows);
  void mask(const Segment& segment, std::int64_t head, std::int64_t first, std::int64_t tokens, float* scores,
            std::int64_t stride) const;
  /// What stands between a query and a key so far behind it adds to their score.
  float added(std::int64_t head, std::int64_t behind) const;
  void weigh(float* scores, std::int64_t count) const;

  const ModelConfig& config_;
  const Rope& rope_;
  Turns turns_;
  float scale_;
  bool kernel_;
  const AttentionWeights* weights_;
  std::vector<float> slopes_;  ///< of ALiBi, by query head
  std::vector<float> turned_keys_, turned_queries_, scores_, mixed_, feature_;
  std::vector<std::vector<float>> sums_;
  AttentionTap tap_;
};

}  // namespace stream::llm
