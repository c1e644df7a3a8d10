/// Changes the sample rate of a stream by any ratio.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/archive.hpp"

namespace stream {

/// Polyphase interpolation with a Kaiser-windowed sinc: flat to 0.9 of the lower rate's Nyquist frequency, at
/// least 100 dB down from that frequency on. Every output sample is one dot product over a fixed window of
/// the input, summed in a fixed order; so the output depends neither on how the input was cut nor on where a
/// run was resumed, bit for bit, which libraries with opaque state cannot promise.
class Resampler {
 public:
  /// The filter's length grows with the ratio; this bounds it (and its table) to a few hundred kilobytes.
  static constexpr int kLargestRatio = 256;
  static bool possible(int in_rate, int out_rate) {
    return in_rate / kLargestRatio <= out_rate && out_rate / kLargestRatio <= in_rate;
  }
  /// Throws Error(kBadData) unless `possible`.
  Resampler(int in_rate, int out_rate, int channels);

  /// Appends what has become certain. `in`: interleaved frames.
  void push(std::span<const float> in, std::vector<float>& out);
  /// The input has ended (silence follows): appends the rest, ceil(frames * out_rate / in_rate) frames in
  /// all.
  void finish(std::vector<float>& out);
  /// Input frames that an output frame waits for.
  std::size_t lookahead() const { return half_; }

  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void emit_until(std::int64_t end, std::vector<float>& out);
  const float* row_of(std::size_t phase);

  std::int64_t up_, down_;  ///< out_rate and in_rate without their common divisor
  std::size_t channels_, half_, taps_;
  std::size_t rows_;            ///< of the filter table; fewer than up_ when rows are interpolated between
  std::vector<float> table_;    ///< [rows_ + 1, taps_]
  std::vector<float> between_;  ///< one interpolated row
  std::vector<std::vector<float>> history_;  ///< one for each channel; all of one length
  std::int64_t base_;                        ///< input frame that history_[.][0] is
  std::int64_t received_ = 0;                ///< input frames
  std::int64_t whole_ = 0, part_ = 0;  ///< position of the next output in the input: whole_ + part_ / up_
};

}  // namespace stream
