/// bandits.study_recovering: planning and learning under recovering rewards, against bars.
#pragma once

#include "stream/study.hpp"

namespace stream::bandits {

class RecoveringStudy final : public StudySource {
 public:
  struct Options {
    std::int64_t instances = 20;     ///< of each type and size, for plans
    std::int64_t periods = 100'000;  ///< over which plans are run
    std::int64_t tiny = 67;          ///< of each type, against the exact optimum
    std::int64_t online_instances = 5;
    std::int64_t online_periods = 160'000;  ///< the longest run; the others are 1/4 and 1/16 of it
    double sigma = 0.3;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit RecoveringStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

}  // namespace stream::bandits
