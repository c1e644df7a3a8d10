/// llm.study_sink: when attention sinks emerge, and what removes them.
#pragma once

#include "llm/study_models.hpp"
#include "stream/study.hpp"

namespace stream::llm {

class SinkStudy final : public StudySource {
 public:
  struct Options {
    std::string model;  ///< of the arm "begin" and seed 0; empty: trained in the run
    std::int64_t sequences = 100;
    std::int64_t streams = 16;  ///< of 400 tokens, for the price of a window without sinks
    std::int64_t curve_steps = 1600;
    std::int64_t switch_steps = 400;  ///< of each arm of the table of switches
    bool quick = false;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit SinkStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

/// The parts: what is exact, sinks along one training, and one short training for each switch.
std::unique_ptr<StudyPart> sink_exact(const SinkStudy::Options& options);
std::unique_ptr<StudyPart> sink_curve(const SinkStudy::Options& options);
std::unique_ptr<StudyPart> sink_switches(const SinkStudy::Options& options, std::int64_t seed);

/// Probes `sequences` unseen texts of 64 tokens, the begin token among them at `begin_at` (-1: none);
/// `first`: what stands there instead of it, -1: itself.
class AttentionProbe;
struct ProbeText {
  double repeat = 0;
  std::int64_t begin_at = 0;
  bool random_first = false;
};
void probe_texts(AttentionProbe& probe, const ProbeText& text, std::int64_t sequences, std::uint64_t seed);

}  // namespace stream::llm
