/// superres.study: what STDO claims, against everything it is compared with.
#pragma once

#include "super_resolution/study_part.hpp"

namespace stream::super_resolution {

class SuperresStudy final : public StudySource {
 public:
  static Spec spec();
  explicit SuperresStudy(const Params& params);

 protected:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;

 private:
  StudySetting setting_;
  bool quick_;
};

}  // namespace stream::super_resolution
