/// evaluate.auc: whether scores put the positives first.
#pragma once

#include "evaluate/measures.hpp"
#include "evaluate/score_lines.hpp"

namespace stream::evaluate {

class AucOperator final : public ScoreLines {
 public:
  static Spec spec();
  explicit AucOperator(const Params& params)
      : ScoreLines(params),
        score_(params.get<std::string>("score")),
        label_(params.get<std::string>("label")) {}
  std::size_t state_bytes() const override;

 protected:
  bool score(const Packet& in, std::uint64_t unit) override;
  void report(Object& line) const override;
  void clear() override;
  void save_score(Archive& group) const override;
  void load_score(const Archive& group) override;

 private:
  std::string score_, label_;
  std::vector<double> scores_;
  std::vector<std::uint8_t> positive_;
  std::vector<std::int64_t> units_;  ///< hashes
};

}  // namespace stream::evaluate
