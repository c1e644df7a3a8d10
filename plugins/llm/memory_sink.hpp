/// Memory "sink": StreamingLLM (Xiao et al., ICLR 2024). The keys of the first n_sink tokens of the stream
/// and a rolling window of the last n_recent; positions are places in the cache, never in the stream.
///
/// A token is added, attends to everything kept and itself, and then the oldest one behind the sinks is
/// dropped, so n_sink + n_recent + 1 slots take part. What matters to RoPE and ALiBi are distances: those
/// among the recent tokens are the same in the cache as in the stream, so recent keys are turned once, to
/// their place in the stream, and only the query is turned a second time, to its place in the cache, for the
/// sinks. This gives what turning every key to its slot at every step gives (`Keys::kRaw`, the paper's plain
/// form), to within rounding. Under a kernel that is no product of what is turned (elu or a perceptron behind
/// RoPE) places themselves matter: then keys are kept as they came, and turned to their slots for every
/// token.
#pragma once

#include <algorithm>

#include "llm/kv_array.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

class SinkMemory final : public Memory {
 public:
  enum class Keys : std::uint8_t {
    kTurned,  ///< stored where they stand
    kRaw,     ///< stored as they came and turned at every use
    /// For comparison only: positions in the stream, as a cache has them that stores turned keys and thinks
    /// no further.
    kStreamPositions,
  };
  struct Options {
    std::int64_t sinks = 4, recent = 508;
    Keys keys = Keys::kTurned;
  };
  /// Throws Error(kBadRecipe) when sinks + recent is less than 1, or more than the model's context.
  SinkMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::int64_t admit(std::int64_t wanted) override;
  std::int64_t position() const override { return std::min(slots(), capacity()); }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void commit(std::int64_t tokens) override;
  /// Keeps the sinks and the last n_recent - coming tokens when there is no room for `coming` more.
  void reserve(std::int64_t coming) override;
  void evict(std::int64_t from, std::int64_t to) override;
  std::int64_t largest_turn() const override { return options_.recent; }
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return slots(); }
  std::size_t resident_bytes() const override { return sinks_.bytes(slots()); }
  std::unique_ptr<Memory> fork() const override { return std::make_unique<SinkMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

  std::int64_t capacity() const { return options_.sinks + options_.recent; }
  /// For references that compute from what is kept: slot by slot, in order.
  const float* key(std::int64_t layer, std::int64_t head, std::int64_t slot) const;
  const float* value(std::int64_t layer, std::int64_t head, std::int64_t slot) const;

 private:
  std::int64_t slots() const { return sinks_used_ + recent_used_; }
  std::int64_t ring(std::int64_t index) const { return (oldest_ + index) % options_.recent; }

  Turns turns_;
  Options options_;
  bool by_distance_;  ///< scores know distances only
  KvArray sinks_, recent_, block_;
  std::int64_t sinks_used_ = 0, recent_used_ = 0;
  std::int64_t oldest_ = 0;  ///< slot of `recent_` with the oldest token
  std::int64_t next_ = 0;    ///< where in the stream the next token stands, as far as turned keys know
};

}  // namespace stream::llm
