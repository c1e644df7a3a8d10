/// Memory "sir": SirLLM (Yao, Li, Zhao, ACL 2024). When a turn would overflow the cache, the first tokens
/// stay and those that surprised the model most; surprises fade by a factor from turn to turn. Keys are kept
/// as they came, and positions are places in the cache.
///
/// Before a turn of up to n tokens that do not fit (Algorithm 1 with the released code's details): the k =
/// entropy - n most surprising tokens (ties to the older one), the sinks, and then the most recent ones until
/// cap - n are kept.
///
/// An extension that the paper lacks: when a turn outgrows the room that was made for it, one token is
/// dropped for each that comes, by the same rule.
#pragma once

#include <vector>

#include "llm/kv_array.hpp"
#include "llm/memory.hpp"
#include "llm/rope.hpp"
#include "stream/random.hpp"

namespace stream::llm {

class SirMemory final : public Memory {
 public:
  /// What ranks tokens. All but kSurprisal are baselines and controls.
  enum class Rule : std::uint8_t {
    kSurprisal,
    kRandom,    ///< RandomLLM: past tokens drawn uniformly
    kInterval,  ///< IntervalLLM: evenly spaced past tokens
    kShuffled,  ///< surprisals dealt out anew before each eviction
  };
  struct Options {
    std::int64_t sinks = 4, entropy = 508, recent = 0;  ///< together the cache
    double decay = 1;                                   ///< of all surprisals, for each turn
    Rule rule = Rule::kSurprisal;
    bool echo = false;  ///< the released code's values instead of the paper's
    bool first_max =
        true;  ///< a turn's first token takes the greatest value of its turn, as the released code has it
    std::uint64_t seed = 0;  ///< of kRandom and kShuffled
  };
  /// Throws Error(kBadRecipe) for sizes that cannot be, or more than the model's context or sliding window.
  SirMemory(const ModelConfig& config, const Rope& rope, Options options);

  std::int64_t admit(std::int64_t wanted) override;
  std::int64_t position() const override { return count_; }
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override;
  void segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) override;
  void commit(std::int64_t tokens) override;
  Feedback wants_nll() const override { return options_.echo ? Feedback::kEcho : Feedback::kSurprisal; }
  void on_nll(std::span<const float> surprisals) override;
  void reserve(std::int64_t coming) override;
  void end_of_turn() override;
  std::int64_t largest_turn() const override { return cap() - options_.sinks; }
  std::int64_t stored_tokens(std::int64_t, std::int64_t) const override { return count_; }
  std::size_t resident_bytes() const override { return kv_.bytes(count_); }
  std::unique_ptr<Memory> fork() const override { return std::make_unique<SirMemory>(*this); }
  void save(Archive& group) const override;
  void load(const Archive& group) override;

  std::int64_t cap() const { return options_.sinks + options_.entropy + options_.recent; }
  /// Of each slot: its value, the number of its token in the stream, and that of its turn.
  const std::vector<float>& surprisals() const { return surprisals_; }
  const std::vector<std::int64_t>& tokens() const { return tokens_; }
  const std::vector<std::int64_t>& turns() const { return turns_; }

 private:
  /// Drops what does not fit beside `coming` more.
  void make_room(std::int64_t coming);
  std::vector<std::int64_t> kept(std::int64_t coming);

  ModelConfig const* config_;
  Options options_;
  Random random_;
  KvArray kv_;
  std::int64_t count_ = 0, seen_ = 0, turn_ = 0;
  std::int64_t turn_start_ = 0;  ///< slot of the turn's first token
  std::vector<float> surprisals_;
  std::vector<std::int64_t> tokens_, turns_;
};

/// Algorithm 1's choice, for `values` of n slots: indices in ascending order.
std::vector<std::int64_t> most_surprising(std::span<const float> values, std::int64_t sinks,
                                          std::int64_t most, std::int64_t room);

}  // namespace stream::llm
