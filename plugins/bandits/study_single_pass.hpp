/// bandits.study_single_pass: what the paper on single-pass streaming bandits claims, against bars.
#pragma once

#include "bandits/policy.hpp"
#include "stream/study.hpp"

namespace stream::bandits {

class SinglePassStudy final : public StudySource {
 public:
  struct Options {
    std::vector<std::uint64_t> sizes;  ///< K, ascending
    double trials = 1000;              ///< T = trials * K^3
    std::int64_t seeds = 20;
    std::uint64_t seed = 0;  ///< of the run: moves all seeds
  };
  static Spec spec();
  explicit SinglePassStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

}  // namespace stream::bandits
