/// Part of the study of the cache-aware Conformer: streaming with caches gives what the whole recording
/// gives.
#pragma once

#include "asr/buffered_encoder.hpp"
#include "asr/corpus.hpp"
#include "asr/study_part.hpp"

namespace stream::asr {

/// Each utterance goes through the streaming encoder in pieces of 1 to 4000 samples, and at once through the
/// same network under the same mask, for every look-ahead of the model; both are decoded greedily. The
/// baseline is buffered streaming against its own whole-recording output, with full context.
class EqualityStudy final : public StudyPart {
 public:
  struct Options {
    std::int64_t utterances = 300;
    std::int64_t window = 50;  ///< of the baseline, in frames of 80 ms
    std::uint64_t seed = 0;    ///< of the corpus and of the sizes of the pieces
  };
  EqualityStudy(std::shared_ptr<const Conformer> network, const Options& options);

  /// One utterance.
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Agreement {
    double worst = 0;         ///< max |difference| of encoder outputs; infinite when one is not a number
    std::int64_t same = 0;    ///< utterances of identical tokens
    std::int64_t tokens = 0;  ///< of the whole recordings, in all
  };
  struct Pair {
    StreamEncoder cached;
    BufferedEncoder buffered;
    Agreement cached_agrees, buffered_agrees;
  };
  std::shared_ptr<const Conformer> network_;
  Options options_;
  Corpus corpus_;
  FrontEnd front_end_;
  std::vector<std::unique_ptr<Pair>> pairs_;  ///< of each look-ahead
  std::int64_t done_ = 0;
};

/// Greedy CTC: the likeliest class of each frame, repeats merged, blanks (the last class) left out. logits
/// [T, classes].
std::vector<std::int64_t> greedy_tokens(const at::Tensor& logits);

}  // namespace stream::asr
