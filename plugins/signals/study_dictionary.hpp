/// signals.study_dictionary: online orthogonal dictionary learning against its baselines and bars.
#pragma once

#include "stream/study.hpp"

namespace stream::signals {

class DictionaryStudy final : public StudySource {
 public:
  struct Options {
    bool quick = false;  ///< without n = 64
    std::int64_t seeds = 10;
    std::int64_t steps = 8192;       ///< mini-batches for n = 20; for greater n in proportion
    std::int64_t vectors = 200'000;  ///< of sensors and of patches, to learn from
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit DictionaryStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

}  // namespace stream::signals
