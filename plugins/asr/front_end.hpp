/// Log-mel features as in NeMo's published models: pre-emphasis, STFT of 512 with a centred 400-sample Hann
/// window every 160 samples, 80 Slaney mel bands, log(x + 2^-24), no normalisation over the utterance (that
/// would need the future).
#pragma once

#include "nn/torch.hpp"

namespace stream::asr {

inline constexpr int kRate = 16000;  ///< samples per second
inline constexpr int kHop = 160;     ///< samples from one mel frame to the next
inline constexpr int kFft = 512;
inline constexpr int kWindow = 400;  ///< frame t covers samples 160t-200 ... 160t+199
inline constexpr int kHalf = kWindow / 2;
inline constexpr int kMels = 80;
inline constexpr float kPreEmphasis = 0.97f;

/// Triangles of unit area over 0-8 kHz on Slaney's scale (linear below 1 kHz, logarithmic above): [257, 80].
at::Tensor slaney_filterbank();

class FrontEnd {
 public:
  FrontEnd();
  /// samples: (frames-1)*160 + 400 of them after one that only pre-emphasis sees, i.e. [160(frames-1) + 401],
  /// the first frame's window beginning at index 1. Returns [frames, 80].
  at::Tensor forward(const at::Tensor& samples) const;
  /// A whole recording, zeros standing before and after it: [n] -> [n/160 + 1, 80]; an empty one gives no
  /// frames.
  at::Tensor offline(const at::Tensor& samples) const;
  /// Mel frames of a recording of n samples.
  static std::int64_t frames(std::int64_t n) { return n == 0 ? 0 : n / kHop + 1; }

 private:
  at::Tensor window_, bank_;
};

}  // namespace stream::asr
