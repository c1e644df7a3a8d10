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

/// What attention needs between calls: memory of its own for each thread of work.
class Attention {
 public:
  Attention(const ModelConfig& config, const Rope& rope);

  /// queries [tokens, heads, d], not rotated; out [tokens, heads, d]. Calls memory->on_scores for the
  /// segments that want it, when `memory` is given.
  ///
  /// The scores of all segments stand side by side in one row and pass through one softmax; sums run through
  /// slots in the order of segments, so the result does not depend on where one segment ends and the next
  /// begins.
  void attend(std::int64_t layer, std::int64_t tokens, const float* queries,
              std::span<const Segment> segments, Memory* memory, float* out);
  void tap(AttentionTap tap) { tap_ = std::move(tap); }

 private:
  /// Queries of one head turned by a segment's rule and scaled: [tokens, d].
  void turn_queries(const float* queries, std::int64_t head, std::int64_t first, std::int64_t tokens,
                    const Segment& segment, float* out);
  void mask(const Segment& segment, std::int64_t head, std::int64_t first, std::int64_t tokens, float* scores,
            std::int64_t stride) const;
  void weigh(float* scores, std::int64_t count) const;

  const ModelConfig& config_;
  const Rope& rope_;
  Turns turns_;
  float scale_;
  std::vector<float> slopes_;  ///< of ALiBi, by query head
  std::vector<float> turned_keys_, turned_queries_, scores_, mixed_;
  std::vector<std::vector<float>> sums_;
  AttentionTap tap_;
};

}  // namespace stream::llm
