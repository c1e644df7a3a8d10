/// diffusion_policy.study: what the paper claims for the rolling buffer, against a diffusion policy of the
/// same network, data and training steps, against fewer deterministic steps, and against behaviour cloning.
#pragma once

#include "diffusion_policy/rollouts.hpp"
#include "stream/study.hpp"

namespace stream::diffusion_policy {

class DiffusionPolicyStudy final : public StudySource {
 public:
  static Spec spec();
  explicit DiffusionPolicyStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;

  Context context_;
  std::vector<std::string> tasks_, models_;
  std::int64_t episodes_;
  bool quick_;
};

}  // namespace stream::diffusion_policy
