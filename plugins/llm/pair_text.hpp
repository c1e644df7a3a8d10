/// Pair text: a seeded language of keys and values that small models learn to recall, for the studies of
/// memories.
///
/// Token 0 begins a stream; then come the numbers of keys, of values, and of filler symbols. The text is
/// pairs key, value, with 0 to `gap` filler symbols in front of each. A key is, with probability `repeat`,
/// that of one of the last `recent` pairs, else any. Its value is that of its last occurrence when this lies
/// at most `memory` tokens back, else any. Filler is a Markov chain of order 1 with three equally likely
/// successors.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "stream/archive.hpp"
#include "stream/random.hpp"

namespace stream::llm {

struct PairTextShape {
  std::int64_t keys = 120, values = 24, fillers = 0, gap = 0;
  std::int64_t recent = 24, memory = 60;

  std::int64_t vocabulary() const { return 1 + keys + values + fillers; }
  std::int32_t key(std::int64_t k) const { return static_cast<std::int32_t>(1 + k); }
  std::int32_t value(std::int64_t v) const { return static_cast<std::int32_t>(1 + keys + v); }
  std::int32_t filler(std::int64_t f) const { return static_cast<std::int32_t>(1 + keys + values + f); }
  bool is_key(std::int32_t t) const { return t >= 1 && t <= keys; }
  bool is_value(std::int32_t t) const { return t > keys && t <= keys + values; }
  bool is_filler(std::int32_t t) const { return t > keys + values; }
  /// What is wrong with it, or empty.
  std::string fault() const;
};

/// The language of the StreamingLLM study (120 keys, 24 values), of InfLLM and DuoAttention (60 keys, 24
/// values, 40 filler symbols), of SirLLM (24 keys, 150 values, 40 filler symbols).
PairTextShape streaming_text();
PairTextShape filler_text();
PairTextShape rare_value_text();

class PairText {
 public:
  PairText(PairTextShape shape, double repeat, Random random);

  /// The next token, and what is known of it.
  struct Token {
    std::int32_t id;
    bool repeated = false;       ///< a value that the text before determines
    std::int64_t distance = -1;  ///< of a repeated value: tokens back to the value that it repeats
  };
  Token next();
  std::vector<std::int32_t> take(std::int64_t count);
  const PairTextShape& shape() const { return shape_; }

  /// One more filler symbol after `last` (or a first one for -1): the language's chain, the same in every
  /// text.
  static std::int64_t next_filler(const PairTextShape& shape, std::int64_t last, Random& random);

  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  PairTextShape shape_;
  double repeat_;
  Random random_;
  std::deque<std::int64_t> recent_;               ///< keys of the last pairs, the newest at the end
  std::vector<std::int64_t> value_of_, last_at_;  ///< by key: its value, and where that stood (-1: never)
  std::int64_t position_ = 0, gap_left_ = 0, filler_ = -1;
  std::int64_t key_ = -1;  ///< whose value comes next, or -1
};

}  // namespace stream::llm
