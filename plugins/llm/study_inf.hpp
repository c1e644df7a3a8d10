/// llm.study_inf: InfLLM's look-up of blocks, and what is recalled from far beyond the context with it.
#pragma once

#include "llm/study_models.hpp"
#include "stream/study.hpp"

namespace stream::llm {

class InfStudy final : public StudySource {
 public:
  struct Options {
    std::string model;  ///< of seed 0; empty: trained in the run
    std::vector<std::int64_t> lengths;
    std::int64_t streams = 8;        ///< of eight needles each
    std::int64_t longest = 1 << 16;  ///< tokens of the one stream of which only figures are shown; 0: none
    bool quick = false;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit InfStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

std::unique_ptr<StudyPart> inf_exact(const InfStudy::Options& options);

}  // namespace stream::llm
