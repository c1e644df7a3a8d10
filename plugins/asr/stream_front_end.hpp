/// The front end over audio that arrives in pieces: mel frames in blocks of the caller's choice, each
/// computed once.
#pragma once

#include <span>

#include "asr/front_end.hpp"
#include "stream/archive.hpp"

namespace stream::asr {

class StreamFrontEnd {
 public:
  /// Room for blocks of up to `most` frames.
  explicit StreamFrontEnd(std::int64_t most);
  void reset();

  /// Takes samples up to the last that the next `count` frames need, and says how many those were.
  std::size_t take(std::span<const float> samples, std::int64_t count);
  /// Whether the windows of the next `count` frames are complete.
  bool complete(std::int64_t count) const { return filled_ >= samples_for(count); }
  /// The end of the stream: zeros stand behind the last sample, as far as `count` frames need them.
  void pad(std::int64_t count);
  /// The next `count` frames, [count, 80]. Precondition: complete(count).
  at::Tensor next(std::int64_t count);

  std::int64_t samples() const { return samples_; }
  /// Computed so far.
  std::int64_t frames() const { return frames_; }

  void save(Archive& state) const;
  /// Throws Error(kBadData) when samples and counters do not fit, or when `most` frames or more would be
  /// waiting.
  void load(const Archive& state);
  /// The same from the first sample to the last.
  std::size_t state_bytes() const { return buffer_.size() * sizeof(float) + 2 * sizeof(std::int64_t); }

 private:
  static std::size_t samples_for(std::int64_t frames) {
    return static_cast<std::size_t>((frames - 1) * kHop + kWindow + 1);
  }
  FrontEnd front_end_;
  std::vector<float> buffer_;  ///< samples from 160 frames_ - 201 on
  std::size_t filled_ = 0;
  std::int64_t samples_ = 0, frames_ = 0;
};

}  // namespace stream::asr
