/// llm.probe: attention sinks of a model on a stream of texts.
#pragma once

#include "llm/attention_probe.hpp"
#include "llm/memory_params.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class ProbeOperator final : public Operator {
 public:
  static Spec spec();
  explicit ProbeOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return pending_.size() * sizeof(TokenId); }
  std::string progress() const override;

 private:
  void cut(Time time, Output& out);
  void report(Time time, Output& out);
  void emit_map(std::int64_t layer, std::int64_t head, std::span<const float> weights, Time time,
                Output& out) const;
  Object record() const;
  LoadedModel model_;
  AttentionProbe probe_;
  std::unique_ptr<TextEncoder> encoder_;
  std::int64_t length_, report_, maps_;
  bool begin_;
  std::vector<TokenId> pending_;
  Time last_{0};
  std::int64_t bytes_ = 0;
};

}  // namespace stream::llm
