/// llm.generate: text or turns of a dialogue in, answers out as they are made.
#pragma once

#include "llm/memory_params.hpp"
#include "llm/sampler.hpp"
#include "llm/session.hpp"
#include "llm/tokenizer.hpp"
#include "llm/turn.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class GenerateOperator final : public Operator {
 public:
  static Spec spec();
  explicit GenerateOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return session_.state_bytes(); }
  std::string progress() const override;

 private:
  void answer(const Turn& turn, const Packet& in, Output& out);
  void choose(const Turn& turn, const Packet& in, Output& out);
  /// What an answer's record says of every turn.
  Object record_of(const Turn& turn, std::int64_t tokens) const;
  bool ends(TokenId token) const;

  LoadedModel model_;
  Session session_;
  SamplerOptions sampling_;
  Random random_;
  std::int64_t max_tokens_;
  bool evict_long_turns_;
  std::string prefix_, suffix_, stop_;
  bool mean_scores_;
  std::int64_t turns_ = 0;
};

}  // namespace stream::llm
