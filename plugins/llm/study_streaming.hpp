/// llm.study_streaming: StreamingLLM against dense, window and re-computation.
#pragma once

#include "llm/study_models.hpp"
#include "stream/study.hpp"

namespace stream::llm {

class StreamingStudy final : public StudySource {
 public:
  struct Options {
    std::string model, plain;  ///< of seed 0; empty: trained in the run
    std::vector<std::int64_t> caches;
    std::int64_t streams = 16, tokens = 20'000, speed_tokens = 20'000;
    std::uint64_t seed = 0;
  };
  static Spec spec();
  explicit StreamingStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  Options options_;
};

/// Quality over streams that are much longer than the model's context, for one model.
std::unique_ptr<StudyPart> streaming_quality(const StreamingStudy::Options& options, std::int64_t seed);
/// The same for a model that was trained without a begin token: a control, with no bars.
std::unique_ptr<StudyPart> streaming_control(const StreamingStudy::Options& options);
/// What holds exactly, and memory.
std::unique_ptr<StudyPart> streaming_exact(const StreamingStudy::Options& options);
/// Time for each token, on random weights.
std::unique_ptr<StudyPart> streaming_speed(const StreamingStudy::Options& options);

}  // namespace stream::llm
