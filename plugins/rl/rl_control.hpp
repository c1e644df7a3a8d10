/// rl.control: a stream-x controller whose world is elsewhere: observations and rewards in, actions out.
#pragma once

#include <optional>

#include "rl/controller.hpp"
#include "stream/operator.hpp"

namespace stream::rl {

class ControlOperator final : public Operator {
 public:
  static Spec spec();
  explicit ControlOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  Controller make(std::size_t observation) const;

  Algorithm algorithm_;
  Settings settings_;
  Actions actions_;
  std::uint64_t seed_;
  std::string key_;
  std::size_t observation_ = 0;
  std::optional<Controller> controller_;  ///< from the first event on, which tells how large observations are
};

}  // namespace stream::rl
