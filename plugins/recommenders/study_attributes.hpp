/// recommenders.attributes_study: sets of playlists against averages of them.
#pragma once

#include "stream/study.hpp"

namespace stream::recommenders {

class AttributesStudy final : public StudySource {
 public:
  static Spec spec();
  explicit AttributesStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t users_, few_, epochs_;
};

}  // namespace stream::recommenders
