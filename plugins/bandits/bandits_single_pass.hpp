/// bandits.single_pass: which of many arms is best, when each passes once and few can be held.
#pragma once

#include <memory>
#include <optional>

#include "bandits/rewards.hpp"
#include "bandits/single_pass.hpp"
#include "bandits/world_process.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class SinglePassOperator final : public Operator {
 public:
  static Spec spec();
  explicit SinglePassOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  enum class World : std::uint8_t { kInput, kSimulated, kCommand };
  using Step = SinglePass::Step;
  void take(const Packet& in, const Record& event, Output& out);
  void announce(const Packet& in, const Record& event, Output& out);
  Step answer(const Record& event);
  /// Says what a step asks or decides, and has the built-in or outside world answer what it asks.
  void follow(const Packet& in, Step step, Output& out);
  Step ask_world(const Step& step);
  void say(const Packet& in, std::string json, Output& out);
  void say_decision(const Packet& in, Output& out);
  void say_commitment(const Packet& in, const Step& step, bool complete, Output& out);

  RewardRange range_;
  SinglePass pass_;
  World world_;
  Random random_;    ///< of the built-in world
  std::string arm_;  ///< the arrival, until it has been decided on
  std::string command_;
  Duration patience_;
  std::unique_ptr<WorldProcess> process_;
  Packet last_;  ///< the time and key that `finish` speaks with
};

/// Parameters that say which algorithm and problem, for this operator and bandits.replay.
PolicyOptions policy_options(const Params& params);

}  // namespace stream::bandits
