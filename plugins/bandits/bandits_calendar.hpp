/// bandits.calendar: plans a periodic calendar from recovery curves.
#pragma once

#include <unordered_map>

#include "bandits/calendar.hpp"
#include "bandits/rewards.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class CalendarOperator final : public Operator {
 public:
  static Spec spec();
  explicit CalendarOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  struct Samples {
    std::string id;
    std::vector<double> sums;  ///< by idle time from 1
    std::vector<std::int64_t> counts;
  };
  RecoveryCurves curves() const;

  std::size_t slots_, idle_;
  std::vector<Samples> arms_;  ///< in the order of first appearance
  std::unordered_map<std::string, std::size_t> index_;
  Time time_{0};
};

}  // namespace stream::bandits
