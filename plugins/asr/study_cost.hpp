/// Part of the study of the cache-aware Conformer: what caches save against buffered streaming, in
/// multiply-adds that were executed and in time.
#pragma once

#include "asr/buffered_encoder.hpp"
#include "asr/study_part.hpp"

namespace stream::asr {

/// For every look-ahead of the model, both encoders hear the same audio a chunk at a time, on one thread.
/// Multiply-adds are counted in one round and chunks are timed in another, in turn, from samples to logits.
class CostStudy final : public StudyPart {
 public:
  struct Options {
    std::int64_t window = 50;  ///< of the baseline, in frames of 80 ms
    std::int64_t pairs = 50;   ///< runs of chunks timed for each look-ahead
  };
  /// speech: 16 kHz, repeated for as long as it takes.
  CostStudy(std::shared_ptr<const Conformer> network, std::vector<float> speech, const Options& options);

  /// One look-ahead.
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

  /// Both encoders over the same audio.
  struct Cost {
    std::int64_t lookahead = 0;
    double cached_adds = 0, buffered_adds = 0;  ///< encoder multiply-adds for each second of audio
    double cached_ms = 0, buffered_ms = 0;      ///< medians, processor time of a chunk
    double ratio = 0, wall_ratio = 0;           ///< of times: medians over the pairs
  };
  const std::vector<Cost>& costs() const { return costs_; }

 private:
  std::shared_ptr<const Conformer> network_;
  std::vector<float> speech_;
  Options options_;
  std::vector<Cost> costs_;
};

}  // namespace stream::asr
