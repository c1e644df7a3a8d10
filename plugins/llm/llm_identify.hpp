/// llm.identify_heads: finds the heads of a model that need the whole context.
#pragma once

#include "llm/identification.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class IdentifyOperator final : public Operator {
 public:
  static Spec spec();
  explicit IdentifyOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override {
    return identification_.state_bytes() + batch_.size() * sizeof(std::int32_t);
  }
  std::string progress() const override;

 private:
  void update(Time time, Output& out);
  std::string node_, model_path_, table_;
  Identification identification_;
  std::int64_t size_, report_;
  std::vector<std::int32_t> batch_;  ///< [samples, 2, length_]
  std::int64_t length_ = 0;
};

}  // namespace stream::llm
