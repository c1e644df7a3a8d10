/// rl.predict: stream TD(lambda) over records.
#pragma once

#include <optional>

#include "rl/predictor.hpp"
#include "stream/operator.hpp"

namespace stream::rl {

class PredictOperator final : public Operator {
 public:
  static Spec spec();
  explicit PredictOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  Predictor make(std::size_t observation) const;

  Settings settings_;
  std::vector<std::string> members_;
  std::string cumulant_;
  double input_trace_;
  std::uint64_t seed_;
  std::string key_;
  std::optional<Predictor> predictor_;  ///< from the first event on, which tells how large observations are
};

}  // namespace stream::rl
