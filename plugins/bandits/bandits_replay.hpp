/// bandits.replay: a single-pass algorithm on a log of rewards.
#pragma once

#include <unordered_map>

#include "bandits/bandits_single_pass.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class ReplayOperator final : public Operator {
 public:
  static Spec spec();
  explicit ReplayOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  struct Log {
    std::string id;
    std::vector<double> rewards;  ///< scaled to [0, 1], in the order of the log
    std::size_t used = 0;
  };
  /// Mean of the next n rewards of an arm; throws Error(kBadData) when fewer are left.
  static double take(Log& log, std::uint64_t n);

  RewardRange range_;
  PolicyOptions options_;
  std::uint64_t trials_;
  std::vector<Log> logs_;  ///< in the order of first appearance
  std::unordered_map<std::string, std::size_t> index_;
  std::uint64_t rewards_ = 0;
  Time time_{0};
};

}  // namespace stream::bandits
