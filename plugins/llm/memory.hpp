/// What one sequence remembers: the interface between a decoder and its memory policy.
///
/// Tokens pass in blocks. For each block the decoder calls
///
///     admit   (append, segments, on_scores... for every layer in turn)   commit   [on_nll]
///
/// and around turns of a dialogue `reserve` and `end_of_turn`. Keys arrive before RoPE; the policy decides
/// what is stored, rotated or not, and at which position everything stands: it answers with segments, and the
/// decoder attends to all of a layer's segments under one softmax.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "llm/model_config.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

/// Keys and values that stand together: `count` slots, slot s of kv head h at keys + (h - first_head)
/// head_stride
/// + s head_dim.
struct Segment {
  const float* keys = nullptr;
  const float* values = nullptr;
  std::int64_t head_stride = 0;
  std::int64_t count = 0;
  /// The kv heads that it serves; by default all.
  std::int64_t first_head = 0, heads = -1;

  /// Slot s stands at key_position + s key_step. Keys that are not `rotated` are turned to there when used.
  bool rotated = true;
  std::int64_t key_position = 0, key_step = 1;
  /// Query t of the block is turned to query_position + t query_step, or not at all.
  bool rotate_query = true;
  std::int64_t query_position = 0, query_step = 1;

  /// Query t sees slot s if from + t from_step <= s < until + t until_step.
  std::int64_t from = 0, from_step = 0;
  std::int64_t until = INT64_MAX / 2, until_step = 0;
  /// Call on_scores with the sums over the queries of this segment's probabilities.
  bool want_scores = false;
};

class Memory {
 public:
  virtual ~Memory() = default;
  Memory() = default;
  Memory& operator=(const Memory&) = delete;

  /// Of the next `wanted` (at least 1) tokens, how many may form one block: 1 to wanted. May not depend on
  /// `wanted` but by that bound, or what comes out would depend on how the stream is cut.
  virtual std::int64_t admit(std::int64_t wanted) = 0;
  /// Position of the next token, for models whose embeddings know positions.
  virtual std::int64_t position() const = 0;

  /// The block's queries [tokens, heads, d] and keys, values [tokens, kv_heads, d] of one layer, none
  /// rotated.
  virtual void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
                      const float* values) = 0;
  /// What the block attends to in that layer, itself included. Pointers hold until the next `append`.
  virtual void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) = 0;
  /// sums [heads of the segment's kv heads, count]: probability received from all queries of the block.
  virtual void on_scores(std::int64_t layer, std::size_t segment, std::span<const float> sums);
  /// All layers have been passed: the block's tokens are now in the past.
  virtual void commit(std::int64_t tokens) = 0;

  /// What `on_nll` is to be told of a token: nothing, its surprisal, or what SirLLM's released code computes
  /// instead: how surprising the token before it would have been in its place. Where it wants something, the
  /// driver computes the logits of every token, and passes a stream that has no turns line by line.
  enum class Feedback : std::uint8_t { kNone, kSurprisal, kEcho };
  virtual Feedback wants_nll() const { return Feedback::kNone; }
  /// Surprisal (nats) of each token of the last block, called after `commit`; NaN where nothing predicted it.
  virtual void on_nll(std::span<const float> surprisals);

  /// A turn with up to `coming` tokens begins: make room, as the policy does.
  virtual void reserve(std::int64_t coming);
  virtual void end_of_turn();
  /// Slots [from, to), counted over all that is kept, are forgotten. Throws Error(kFailed) where the policy
  /// cannot.
  virtual void evict(std::int64_t from, std::int64_t to);
  /// Most tokens of a turn that the policy can hold with what it always keeps; -1: no limit.
  virtual std::int64_t largest_turn() const { return -1; }
  /// Policies that store tokens instead of keys: notes the next token, and returns all that must be run anew
  /// from an empty past (the last one being this token). Others return an empty span.
  virtual std::span<const std::int32_t> replay(std::int32_t token);

  /// Tokens whose keys are kept.
  virtual std::int64_t stored_tokens(std::int64_t layer, std::int64_t kv_head) const = 0;
  /// Bytes of keys and values of past tokens, in memory.
  virtual std::size_t resident_bytes() const = 0;
  /// The same memory, which goes its own way.
  virtual std::unique_ptr<Memory> fork() const = 0;
  virtual void save(Archive& group) const = 0;
  /// Throws Error(kBadData) when the state is another policy's or another model's.
  virtual void load(const Archive& group) = 0;

 protected:
  Memory(const Memory&) = default;
};

}  // namespace stream::llm
