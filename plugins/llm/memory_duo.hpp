/// Memory "duo": DuoAttention (Xiao et al. 2024). Heads that need the whole context (retrieval heads) keep
/// every key and value, all others the first tokens and the last ones. Keys are kept where they stand in the
/// stream: unlike StreamingLLM's, this memory changes nothing about positions.
///
/// Tokens pass in chunks, as they are fed. A streaming head's query sees what its head had kept when the
/// chunk began, and the chunk up to itself; so the first chunk of a stream is seen whole, and results depend
/// on where chunks end. With `exact_mask` a query sees the first tokens and the last `recent`, however tokens
/// are fed: the mask that the gates were trained under. A model with a sliding window looks no further back
/// than that with any head; full heads keep everything all the same.
#pragma once

#include <algorithm>
#include <vector>

#include "llm/head_gates.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

class DuoMemory final : public Memory {
 public:
  struct Options {
    std::vector<std::vector<bool>> full;  ///< [layers][kv_heads]
    std::int64_t sinks = 64, recent = 256;
    bool exact_mask = false;
  };
  /// Throws Error(kBadRecipe) when the table is not of the model's shape, or nothing recent is kept.
  DuoMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::int64_t admit(std::int64_t wanted) override { return wanted; }
  std::int64_t position() const override { return count_; }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void commit(std::int64_t tokens) override;
  std::int64_t stored_tokens(std::int64_t layer, std::int64_t kv_head) const override;
  std::size_t resident_bytes() const override;
  std::unique_ptr<Memory> fork() const override { return std::make_unique<DuoMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  /// Rows of one head, in the order of the stream: everything, or sinks and recent ones.
  struct Head {
    std::vector<float> keys, values;
  };
  std::int64_t kept() const { return std::min(count_, options_.sinks + options_.recent); }
  bool full(std::int64_t layer, std::int64_t head) const {
    return options_.full[static_cast<std::size_t>(layer)][static_cast<std::size_t>(head)];
  }
  Head& head(std::int64_t layer, std::int64_t kv_head) {
    return heads_[static_cast<std::size_t>(layer * config_->kv_heads + kv_head)];
  }

  const ModelConfig* config_;
  Turns turns_;
  Options options_;
  std::vector<Head> heads_;
  std::int64_t count_ = 0;
};

}  // namespace stream::llm
