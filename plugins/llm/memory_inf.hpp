/// Memory "inf": InfLLM (Xiao et al. 2024). What leaves the local window goes into blocks outside of the
/// working memory; each block of queries attends to the few whose representative keys match it best, in each
/// layer its own, together with the first tokens, all at one distance, and to the local window at true
/// distances, under one softmax.
///
/// Keys are kept as they came. Symbols as in the paper's code: n_init first tokens, n_local recent ones,
/// blocks of l_bs tokens with r_k representatives, topk blocks read.
#pragma once

#include <algorithm>
#include <vector>

#include "llm/block_store.hpp"
#include "llm/kv_array.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"
#include "stream/random.hpp"

namespace stream::llm {

class InfMemory final : public Memory {
 public:
  enum class Representative : std::uint8_t {
    kScore,  ///< the mean of the r_k keys that received most attention while they were local
    kMean,   ///< the mean of all keys of the block
  };
  enum class LookUp : std::uint8_t {
    kAlways,
    kDecoding,  ///< only when one token passes by itself
    kRandom,    ///< control: any blocks
  };
  struct Options {
    std::int64_t init = 128, local = 4096, block = 128, representatives = 4, topk = 16;
    std::int64_t execution = 512;   ///< most tokens of a block of queries
    std::int64_t working_set = 32;  ///< blocks of each layer in memory beside files
    Representative representative = Representative::kScore;
    LookUp look_up = LookUp::kAlways;
    std::string folder;      ///< of blocks; empty: they stay in memory
    std::string owner;       ///< the model's fingerprint
    std::uint64_t seed = 0;  ///< of kRandom
  };
  /// Throws Error(kBadRecipe) for sizes that cannot be, or a local window larger than the model's context or
  /// sliding window.
  InfMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::int64_t admit(std::int64_t wanted) override {
    return std::min({wanted, options_.execution, options_.local});
  }
  std::int64_t position() const override { return std::min(count_, options_.local - 1); }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void on_scores(std::int64_t layer, std::size_t segment, std::span<const float> sums) override;
  void commit(std::int64_t tokens) override;
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return count_; }
  /// First tokens, remainder, index and blocks in memory.
  std::size_t resident_bytes() const override;
  std::unique_ptr<Memory> fork() const override;
  void save(Archive& group) const override;
  void load(const Archive& group) override;

  const BlockStore& store() const { return *store_; }
  /// Blocks that the last block of queries read in a layer, in ascending order.
  const std::vector<std::int64_t>& chosen(std::int64_t layer) const {
    return chosen_[static_cast<std::size_t>(layer)];
  }
  /// The block that holds a token of the stream; -1 while it is in none.
  std::int64_t block_of(std::int64_t token) const;

 private:
  InfMemory(const InfMemory& other);
  /// The blocks that match the queries [tokens, heads, d].
  std::vector<std::int64_t> look_up(std::int64_t layer, std::int64_t tokens, const float* queries);
  void move_block();
  std::vector<float> index_of(std::int64_t layer) const;
  float& score(std::int64_t layer, std::int64_t head, std::int64_t slot) {
    return scores_[static_cast<std::size_t>((layer * config_->heads + head) * rest_.capacity() + slot)];
  }
  float score(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    return scores_[static_cast<std::size_t>((layer * config_->heads + head) * rest_.capacity() + slot)];
  }
  void drop(std::int64_t tokens);

  const ModelConfig* config_;
  Turns turns_;
  Options options_;
  Random random_;
  KvArray init_, rest_;        ///< rest_: tokens in neither init nor a block, the local window at their end
  std::vector<float> scores_;  ///< [layers, heads, capacity of rest_]
  std::int64_t init_used_ = 0, rest_used_ = 0, count_ = 0;
  std::int64_t passing_ = 0;  ///< tokens of the block under way
  std::unique_ptr<BlockStore> store_;
  std::vector<std::vector<float>> index_;  ///< of each layer: [blocks, heads head_dim]
  std::vector<std::vector<std::int64_t>> chosen_;
  std::vector<std::vector<std::shared_ptr<const KvBlock>>>
      loaded_;  ///< of `chosen_`, while a block of queries passes
};

}  // namespace stream::llm
