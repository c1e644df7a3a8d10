/// asr.study_conformer: what the paper of the cache-aware Conformer claims for streaming, held against bars.
#pragma once

#include "asr/conformer.hpp"
#include "asr/study_part.hpp"

namespace stream::asr {

class ConformerStudy final : public StudySource {
 public:
  static Spec spec();
  explicit ConformerStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::vector<float> speech() const;

  std::string model_;
  Context context_;
  std::shared_ptr<const Conformer> network_;
  std::int64_t utterances_, minutes_, pairs_, window_;
};

}  // namespace stream::asr
