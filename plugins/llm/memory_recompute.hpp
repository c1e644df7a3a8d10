/// Memory "recompute": the sliding window with re-computation. For each token the model runs anew on the
/// first `first` tokens of the stream and the last ones, `window` in all, at positions from 0 on: the quality
/// oracle of StreamingLLM, at a cost that grows with the window's square.
#pragma once

#include "llm/memory_full.hpp"

namespace stream::llm {

class RecomputeMemory final : public FullMemory {
 public:
  struct Options {
    std::int64_t first = 0;  ///< tokens of the stream's beginning that stay in front: 1 for a begin token
    std::int64_t window = 512;
  };
  /// Throws Error(kBadRecipe) for a window that is smaller than first + 1 or larger than the model's context.
  RecomputeMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::span<const std::int32_t> replay(std::int32_t token) override;
  std::int64_t largest_turn() const override { return options_.window - options_.first; }
  /// It keeps tokens; keys and values live while a token is being computed.
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return 0; }
  std::size_t resident_bytes() const override { return tokens_.size() * sizeof(std::int32_t); }
  std::unique_ptr<Memory> fork() const override { return std::make_unique<RecomputeMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  Options options_;
  std::vector<std::int32_t> tokens_;
};

}  // namespace stream::llm
