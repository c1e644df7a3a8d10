/// llm.study_sir: SirLLM against StreamingLLM and other rules of what to keep.
#pragma once

#include "llm/study_models.hpp"
#include "stream/study.hpp"

namespace stream::llm {

class SirStudy final : public StudySource {
 public:
  struct Options {
    std::string model;  ///< of seed 0; empty: trained in the run
    std::vector<std::int64_t> caps;
    std::int64_t dialogues = 200, turns = 20;
    double decay = 0.9;
    std::int64_t games = 12, rounds = 2000, game_cap = 64, game_steps = 600;
    bool quick = false;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit SirStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

/// Decay: rock-paper-scissors against an opponent whose favourite changes, without end.
std::unique_ptr<StudyPart> sir_throws(const SirStudy::Options& options, std::int64_t seed);

}  // namespace stream::llm
