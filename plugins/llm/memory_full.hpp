/// Memory "full": every key and value, at true positions. Grows with the stream.
#pragma once

#include "llm/kv_array.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

class FullMemory : public Memory {
 public:
  /// A model with a sliding window (Mistral) looks no further back than that; everything is kept all the
  /// same.
  FullMemory(const ModelConfig& config, const Rope& rope) : config_(&config), turns_(rope), kv_(config, 0) {}

  std::int64_t admit(std::int64_t wanted) override { return wanted; }
  std::int64_t position() const override { return count_; }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void commit(std::int64_t tokens) override { count_ += tokens; }
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return count_; }
  std::size_t resident_bytes() const override { return kv_.bytes(count_); }
  std::unique_ptr<Memory> fork() const override { return std::make_unique<FullMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 protected:
  const ModelConfig* config_;
  Turns turns_;
  KvArray kv_;
  std::int64_t count_ = 0;
};

}  // namespace stream::llm
