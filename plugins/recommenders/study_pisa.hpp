/// recommenders.pisa_study: memory-weighted sessions against plain means, SASRec and counting.
#pragma once

#include "stream/study.hpp"

namespace stream::recommenders {

class PisaStudy final : public StudySource {
 public:
  static Spec spec();
  explicit PisaStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t users_, sessions_, epochs_, features_;
};

}  // namespace stream::recommenders
