/// llm.study_duo: DuoAttention's gates, and what a model recalls when they choose its streaming heads.
#pragma once

#include "llm/study_models.hpp"
#include "stream/study.hpp"

namespace stream::llm {

class DuoStudy final : public StudySource {
 public:
  struct Options {
    std::string model;  ///< of seed 0; empty: trained in the run
    std::int64_t steps = 300, batch = 8;
    std::int64_t sinks = 1, recent = 12;
    std::int64_t samples = 96;            ///< that recall is measured on
    std::int64_t speed_tokens = 1 << 16;  ///< in memory when decoding is timed
    bool quick = false;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit DuoStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

/// The parts: what is exact, and how fast decoding is.
std::unique_ptr<StudyPart> duo_exact(const DuoStudy::Options& options);
std::unique_ptr<StudyPart> duo_speed(const DuoStudy::Options& options);

/// The model of InfLLM's and DuoAttention's studies: pair text with filler, two layers of two heads.
ModelRecipe filler_recipe();

}  // namespace stream::llm
