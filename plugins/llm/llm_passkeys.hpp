/// llm.passkeys: samples of text with passkeys hidden in them, to find the retrieval heads of a model with.
#pragma once

#include "llm/passkey_text.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class PasskeyOperator final : public Operator {
 public:
  static Spec spec();
  explicit PasskeyOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return pending_.size() * sizeof(TokenId); }

 private:
  void draw();
  void cut(Time time, Output& out);
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<TextEncoder> encoder_;
  PasskeyShape shape_;
  std::unique_ptr<PasskeyText> text_;
  std::int64_t shortest_ = 0, longest_ = 0;
  Random random_;
  std::vector<TokenId> pending_;      ///< haystack that no sample has used
  PasskeyText::Needles needles_;      ///< of the next sample
  std::int64_t wanted_ = 0;           ///< tokens of its haystack
  std::vector<std::int64_t> before_;  ///< the generator before it was drawn
  std::int64_t bytes_ = 0;
};

}  // namespace stream::llm
