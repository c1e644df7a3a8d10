/// What caches replace: an encoder with full context over audio that arrives in pieces, run again and again
/// on overlapping windows ("buffered" streaming; the baseline of arXiv 2312.17279).
#pragma once

#include "asr/stream_encoder.hpp"

namespace stream::asr {

/// Mel frames are computed once, as StreamEncoder does, and lie in one piece of memory, so that a window is a
/// view; position encodings are projected once. What repeats is the encoder alone. Its convolutions keep
/// their causal padding: symmetric ones multiply as often.
class BufferedEncoder {
 public:
  /// chunk: frames from one window to the next; window: frames the encoder sees, of 80 ms each. Throws
  /// Error(kBadRecipe) unless 0 < chunk <= window.
  BufferedEncoder(std::shared_ptr<const Conformer> network, std::int64_t chunk, std::int64_t window);

  using Sink = StreamEncoder::Sink;
  /// Each window gives the chunk in its middle, so frames come (window - chunk) / 2 behind the newest one.
  void push(std::span<const float> samples, const Sink& sink);
  /// The end: silence stands behind the last sample. The encoder is then as new.
  void finish(const Sink& sink);
  void reset();

  std::int64_t chunk() const { return chunk_; }
  std::int64_t window() const { return window_; }

 private:
  std::int64_t wanted() const {
    return kSubsampling * chunk_ - (front_end_.frames() == 0 ? kSubsampling - 1 : 0);
  }
  /// Frames of a window behind the chunk that it gives.
  std::int64_t ahead() const { return (window_ - chunk_) / 2; }
  void compute(std::int64_t limit, const Sink& sink);

  std::shared_ptr<const Conformer> network_;
  std::int64_t chunk_, window_;
  StreamFrontEnd front_end_;
  SubsamplingForward subsampling_;
  ConformerForward layers_;
  ConformerForward::Positions positions_;
  at::Tensor silence_;           ///< [1, 80]: what stands before the first sample
  at::Tensor mels_;              ///< [.., 80], the newest window ending before row end_
  std::int64_t rows_, end_ = 0;  ///< mel frames of a window; where it ends
  std::int64_t frames_ = 0;      ///< encoder frames that have arrived
  std::vector<float> x_;
};

}  // namespace stream::asr
