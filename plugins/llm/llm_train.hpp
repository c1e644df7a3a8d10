/// llm.train: trains a small language model on a stream of texts or token ids.
#pragma once

#include "llm/tokenizer.hpp"
#include "llm/trainer.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class TrainOperator final : public Operator {
 public:
  static Spec spec();
  explicit TrainOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override {
    return trainer_.state_bytes() + pending_.size() * sizeof(TokenId);
  }
  std::string progress() const override;

 private:
  void add(std::span<const TokenId> text, Time time, Output& out);
  void cut(Time time, Output& out);
  /// A line of progress, with the attention sinks of held-out samples where they are asked for.
  Object event() const;
  std::string node_, path_;
  std::int64_t each_, first_, report_, probe_length_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<TextEncoder> encoder_;
  Trainer trainer_;
  std::vector<TokenId> pending_;  ///< of bytes, which come without ends: cut into texts
  std::int64_t seen_ = 0;         ///< tokens
  Time last_{0};
  std::int64_t bytes_ = 0;
};

}  // namespace stream::llm
