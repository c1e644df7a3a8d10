/// events.prompt_tpp: how likely each event of a sequence was, and what comes next.
#pragma once

#include "events/tpp_model.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class PromptTppOperator final : public Operator {
 public:
  static Spec spec();
  explicit PromptTppOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  std::shared_ptr<const TppModel> model_;
  std::string item_;
  bool forecast_;
  TppState state_;
  double start_ = 0;                 ///< seconds of the first event of the sequence
  std::vector<std::int64_t> types_;  ///< of the events so far
};

}  // namespace stream::events
