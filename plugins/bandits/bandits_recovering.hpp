/// bandits.recovering: which K of N arms to pull each period, when rewards recover with idle time.
#pragma once

#include <optional>
#include <unordered_map>

#include "bandits/recovering_policies.hpp"
#include "bandits/rewards.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class RecoveringOperator final : public Operator {
 public:
  static Spec spec();
  explicit RecoveringOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void declare(const Record& event);
  /// The built-in world pays this period's pulls.
  void pay(const std::vector<std::size_t>& chosen);
  void tick(const Packet& in, const Record& event, Output& out);
  void reward(const Record& event);
  void say_curves(const Packet& in, Output& out) const;

  RewardRange range_;
  CalendarLearner::Options options_;
  std::size_t capacity_;
  std::vector<std::string> ids_;
  std::unordered_map<std::string, std::size_t> index_;
  std::optional<CalendarLearner> learner_;  ///< once the arms are declared
  std::int64_t period_ = -1;
  std::vector<bool> awaited_;  ///< arms pulled in this period whose reward has not come
  std::int64_t pulled_ = 0;    ///< in this period
  const bool simulated_;
  Random random_;                              ///< of the built-in world
  std::optional<RecoveryCurves> true_curves_;  ///< scaled; for the built-in world
  IdleTimes true_idle_{0, 1};
  double known_value_ = 0;  ///< reward for each period of a planner that knows them
  double regret_ = 0;       ///< against that planner, over the periods so far
};

}  // namespace stream::bandits
