/// llm.score: how surprising each token of a stream is.
#pragma once

#include "llm/memory_params.hpp"
#include "llm/session.hpp"
#include "llm/tokenizer.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class ScoreOperator final : public Operator {
 public:
  static Spec spec();
  explicit ScoreOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return session_.state_bytes(); }
  std::string progress() const override;

 private:
  void begin();
  /// Scores tokens; their records go to port `tokens`.
  std::vector<float> score(std::span<const TokenId> ids, const Packet& in, Output& out);
  void line(std::string_view text, std::vector<TokenId> ids, const Packet& in, Output& out);

  LoadedModel model_;
  Session session_;
  std::unique_ptr<TextEncoder> encoder_;  ///< of bytes; null for models of bare ids
  double threshold_;
  std::int64_t lines_ = 0, alarms_ = 0;
  double mean_ = 0;  ///< running, of the tokens
  Time last_{0};
  std::int64_t bytes_ = 0;
};

}  // namespace stream::llm
