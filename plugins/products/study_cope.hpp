/// products.cope_study: COPE against training on pages alone, pictures alone, text alone, and CLIP within
/// each domain, on products that nobody has seen.
#pragma once

#include "stream/study.hpp"

namespace stream::products {

class CopeStudy final : public StudySource {
 public:
  static Spec spec();
  explicit CopeStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t products_, unseen_, epochs_;
  int clips_;
};

}  // namespace stream::products
