/// evaluate.ranking: how well ranked lists find what was wanted.
#pragma once

#include "evaluate/resampled.hpp"
#include "evaluate/score_lines.hpp"

namespace stream::evaluate {

class RankingOperator final : public ScoreLines {
 public:
  static Spec spec();
  explicit RankingOperator(const Params& params);
  std::size_t state_bytes() const override;
  std::string progress() const override;

 protected:
  bool score(const Packet& in, std::uint64_t unit) override;
  void report(Object& line) const override;
  void clear() override;
  void save_score(Archive& group) const override;
  void load_score(const Archive& group) override;

 private:
  /// The whole, and the parts of it that were or were not known before.
  struct Part {
    std::string suffix;
    Resampled ndcg, recall;
  };
  std::string items_, targets_, known_;
  std::size_t k_;
  std::vector<Part> parts_;
};

}  // namespace stream::evaluate
