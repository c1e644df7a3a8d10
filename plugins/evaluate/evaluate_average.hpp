/// evaluate.average: errors of predictions and likelihoods of events, with intervals.
#pragma once

#include "evaluate/resampled.hpp"
#include "evaluate/score_lines.hpp"

namespace stream::evaluate {

class AverageOperator final : public ScoreLines {
 public:
  static Spec spec();
  explicit AverageOperator(const Params& params);
  std::size_t state_bytes() const override { return average_.bytes(); }
  std::string progress() const override;

 protected:
  bool score(const Packet& in, std::uint64_t unit) override;
  void report(Object& line) const override;
  void clear() override { average_.clear(); }
  void save_score(Archive& group) const override { average_.save(group); }
  void load_score(const Archive& group) override { average_.load(group); }

 private:
  std::string measure_, member_, target_;
  Resampled average_;
};

}  // namespace stream::evaluate
