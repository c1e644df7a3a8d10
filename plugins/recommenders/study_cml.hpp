/// recommenders.cml_study: a learnt metric against raw text, topics, film ids and habits, on films that
/// nobody has seen.
#pragma once

#include "stream/study.hpp"

namespace stream::recommenders {

class CmlStudy final : public StudySource {
 public:
  static Spec spec();
  explicit CmlStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t films_, customers_, epochs_;
};

}  // namespace stream::recommenders
