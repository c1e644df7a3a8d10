/// Part of the study of the cache-aware Conformer: an hour of audio costs no more state and no more time a
/// chunk than its first seconds.
#pragma once

#include <span>

#include "asr/study_part.hpp"
#include "stream/operator.hpp"

namespace stream::asr {

/// Runs asr.conformer itself. In the last minute its chunks are timed in turn with those of a second instance
/// that is in its first minute, on the same audio, so that what else the machine does falls on both.
class EnduranceStudy final : public StudyPart {
 public:
  struct Options {
    std::int64_t minutes = 60;
    std::int64_t lookahead = 6;
  };
  /// params: of asr.conformer. speech: 16 kHz, repeated for as long as it takes.
  EnduranceStudy(const Object& params, Context context, std::vector<float> speech, const Options& options);
  ~EnduranceStudy() override;

  /// One minute.
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Stream;
  /// Milliseconds of processor time that the next chunk takes.
  double feed(Stream& stream) const;

  Options options_;
  std::vector<float> speech_;
  std::int64_t chunk_;  ///< samples
  std::unique_ptr<Stream> old_, fresh_;
  std::int64_t minute_ = 0;
  std::size_t bytes_early_ = 0, saved_early_ = 0, bytes_late_ = 0, saved_late_ = 0;
  std::vector<double> medians_;                ///< of each minute, ms
  std::vector<double> late_, early_, ratios_;  ///< of the last minute's pairs
};

}  // namespace stream::asr
