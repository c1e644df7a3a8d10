/// One sequence: a decoder, what it remembers, and the prediction that its last token left.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "llm/decoder.hpp"
#include "llm/memory.hpp"

namespace stream::llm {

class Session {
 public:
  /// `block`: most tokens that pass the layers together.
  Session(std::shared_ptr<const Decoder> decoder, std::unique_ptr<Memory> memory, std::int64_t block = 256);

  /// Called with the index of a token among those fed, and the logits after it.
  using Each = std::function<void(std::size_t index, std::span<const float> logits)>;
  /// Feeds tokens. With `each`, logits are computed for every token, else only for the last one. `surprisals`
  /// receives one number (nats) for each token: NaN for the first token of a sequence, which nothing
  /// predicts.
  void feed(std::span<const std::int32_t> tokens, const Each& each = {},
            std::vector<float>* surprisals = nullptr);
  /// The same one token at a time, as decoding does it: every sum is then made in the same order.
  void step(std::int32_t token, std::vector<float>* surprisals = nullptr) {
    feed({&token, 1}, {}, surprisals);
  }

  /// After the last token; empty before the first.
  std::span<const float> logits() const { return logits_; }
  std::int64_t tokens() const { return tokens_; }
  const Decoder& decoder() const { return *decoder_; }
  Memory& memory() { return *memory_; }
  const Memory& memory() const { return *memory_; }
  Workspace& workspace() { return work_; }
  /// A second sequence with the same past.
  Session fork() const;

  void save(Archive& group) const;
  /// Throws Error(kBadData) when the state belongs to another model.
  void load(const Archive& group);
  std::size_t state_bytes() const { return memory_->resident_bytes() + logits_.size() * sizeof(float); }

 private:
  std::int64_t feed_block(std::span<const std::int32_t> tokens, std::size_t offset, bool all,
                          const Each& each, std::vector<float>* surprisals);
  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<Memory> memory_;
  std::int64_t block_;
  Workspace work_;
  std::vector<float> x_, rows_, logits_, nll_;
  std::int64_t tokens_ = 0;
  std::int32_t last_ = -1;  ///< the newest token
};

}  // namespace stream::llm
