/// asr.score: word error rate, and how well confidences tell known words from unknown ones.
#pragma once

#include "stream/operator.hpp"

namespace stream::asr {

/// Insertions, deletions and substitutions that turn `said` into `meant`, at the least.
std::size_t edit_distance(const std::vector<std::string>& said, const std::vector<std::string>& meant);
/// Probability that a positive scores above a negative, ties counted half; 0.5 when either is empty.
double area_under_roc(const std::vector<double>& positives, std::vector<double> negatives);

class ScoreOperator final : public Operator {
 public:
  static Spec spec();
  void process(std::size_t port, Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  std::vector<Packet> words_, texts_;
};

}  // namespace stream::asr
