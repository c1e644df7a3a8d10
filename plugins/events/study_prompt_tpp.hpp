/// events.prompt_tpp_study: learning drifting event streams without forgetting, against fine-tuning and
/// random prompts.
#pragma once

#include "stream/study.hpp"

namespace stream::events {

class PromptTppStudy final : public StudySource {
 public:
  static Spec spec();
  explicit PromptTppStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t seeds_, train_, test_, epochs_;
};

}  // namespace stream::events
