/// Memories "h2o" and "tova": of a cache of fixed size the token goes that attention passes over. Baselines
/// of DuoAttention. Keys are kept where they stand in the stream.
///
/// H2O (Zhang et al., NeurIPS 2023, Algorithm 1): each key and value head keeps its last `recent` tokens and,
/// of the older ones, the `heavy` ones that have received the most attention, summed over all queries since
/// they came (query heads that share keys together). TOVA (Oren et al., 2024, section 3.2): each layer drops
/// the token to which the newest query gives the least, averaged over its heads; none is safe.
///
/// Until the cache is full tokens pass in blocks, then one by one: one goes for each that comes.
#pragma once

#include <vector>

#include "llm/kv_array.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

class AttentionMemory final : public Memory {
 public:
  enum class Rule : std::uint8_t { kH2o, kTova };
  struct Options {
    Rule rule = Rule::kH2o;
    std::int64_t heavy = 0;   ///< tokens that attention keeps
    std::int64_t recent = 0;  ///< kH2o: last tokens, kept in any case
  };
  /// Throws Error(kBadRecipe) for sizes that cannot be, or a model with position alibi or relative, or with a
  /// sliding window: what lies behind it would be kept and never seen.
  AttentionMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::int64_t admit(std::int64_t wanted) override {
    return std::max<std::int64_t>(1, std::min(wanted, kept() - count_));
  }
  std::int64_t position() const override { return seen_; }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void on_scores(std::int64_t layer, std::size_t segment, std::span<const float> sums) override;
  void commit(std::int64_t tokens) override;
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return count_; }
  std::size_t resident_bytes() const override { return kv_.bytes(count_); }
  std::unique_ptr<Memory> fork() const override { return std::make_unique<AttentionMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

  /// Tokens that stay from step to step.
  std::int64_t kept() const { return options_.heavy + options_.recent; }
  /// The numbers in the stream of what a head keeps, in ascending order.
  std::vector<std::int64_t> tokens(std::int64_t layer, std::int64_t kv_head) const;

 private:
  const char* name() const { return options_.rule == Rule::kH2o ? "h2o" : "tova"; }
  std::int64_t at(std::int64_t layer, std::int64_t head) const {
    return (layer * config_->kv_heads + head) * (kept() + 1);
  }
  void drop(std::int64_t layer, std::int64_t head, std::int64_t slot);

  const ModelConfig* config_;
  Turns turns_;
  Options options_;
  KvArray kv_;
  std::int64_t count_ = 0, seen_ = 0;
  /// Of each layer, head and slot: attention received (TOVA: from the last block alone), and the token.
  std::vector<float> scores_;
  std::vector<std::int64_t> tokens_;
};

}  // namespace stream::llm
