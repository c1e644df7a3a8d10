/// The Conformer over audio that arrives in pieces: whole chunks of encoder frames, each computed once, with
/// exact caches.
#pragma once

#include <functional>
#include <span>

#include "asr/conformer_forward.hpp"
#include "asr/model_file.hpp"
#include "asr/stream_front_end.hpp"
#include "asr/subsampling_forward.hpp"

namespace stream::asr {

class StreamEncoder {
 public:
  /// `lookahead`: one of the model's. Throws Error(kBadRecipe) with the list when it is not.
  StreamEncoder(std::shared_ptr<const Conformer> network, std::int64_t lookahead);

  /// Called with the heads over the next frames, batch 1: [1, n, ...]; `first` is the index of the first of
  /// them.
  using Sink = std::function<void(std::int64_t first, const Conformer::Heads& heads)>;
  /// Chunks are computed when their last sample is here, so neither shapes nor results depend on how samples
  /// arrive.
  void push(std::span<const float> samples, const Sink& sink);
  /// The end: zeros stand behind the last sample. The encoder is then as new.
  void finish(const Sink& sink);
  void reset();

  std::int64_t samples() const { return front_end_.samples(); }
  /// Frames of a chunk: lookahead + 1.
  std::int64_t chunk() const { return chunk_; }
  void save(Archive& state) const;
  /// Throws Error(kBadData) when the state belongs to another model or look-ahead.
  void load(const Archive& state);
  /// The same from the first sample to the last.
  std::size_t state_bytes() const;

 private:
  /// Mel frames of the next chunk: the first frame of a stream needs one, every later one eight more.
  std::int64_t wanted() const {
    return kSubsampling * chunk_ - (front_end_.frames() == 0 ? kSubsampling - 1 : 0);
  }
  void compute(std::int64_t mel_frames, bool last, const Sink& sink);

  std::shared_ptr<const Conformer> network_;
  std::int64_t chunk_, left_;
  StreamFrontEnd front_end_;
  SubsamplingForward subsampling_;
  ConformerForward layers_;
  ConformerForward::Positions positions_;  ///< for a whole chunk
  std::int64_t frames_ = 0;                ///< computed so far
  SubsamplingForward::History rows_;
  std::vector<ConformerForward::Cache> caches_;
  std::vector<float> x_;
};

}  // namespace stream::asr
