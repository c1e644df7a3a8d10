/// bandits.ical: a calendar that calendar programs read.
#pragma once

#include <cstdint>

#include "bandits/rewards.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class IcalOperator final : public Operator {
 public:
  static Spec spec();
  explicit IcalOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return sizeof *this; }

 private:
  std::int64_t start_, minutes_, hold_;
  bool begun_ = false;
};

}  // namespace stream::bandits
