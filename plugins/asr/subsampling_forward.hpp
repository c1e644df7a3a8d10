/// Subsampling over the mel frames of one stream as they come, on plain floats: what Subsampling computes,
/// without the calls of a framework.
#pragma once

#include <array>

#include "asr/conformer.hpp"
#include "nn/dense.hpp"

namespace stream::asr {

class SubsamplingForward {
 public:
  /// Copies the weights.
  explicit SubsamplingForward(const Conformer& network);

  /// The last two input rows of each stage, [2, mels, channels with room for whole vectors].
  using History = std::array<at::Tensor, 3>;
  /// Zeros: nothing came before.
  History begin() const;
  /// Subsamples `count` new mel rows of 80; `total` with those before them. `last`: nothing follows.
  /// `history` is read and replaced; null when nothing came before and nothing is to be kept. Writes the
  /// frames that are complete to `x`, `ld` floats apart, and gives their number; x gets room for them.
  std::int64_t forward(const float* mels, std::int64_t count, std::int64_t total, bool last, History* history,
                       std::vector<float>& x, std::int64_t ld);

 private:
  struct Stage {
    std::int64_t mels, channels;       ///< of the input
    std::vector<float> weights, bias;  ///< depthwise, [9, channels], [channels]; empty in the first stage
    nn::DenseLinear dense;             ///< 3x3 patches -> channels in the first stage; channels -> channels
  };
  void row(const Stage& stage, const float* rows, float* out);

  std::int64_t channels_;  ///< with room for whole vectors
  std::array<Stage, 3> stages_;
  nn::DenseLinear project_;  ///< times sqrt(d)
  std::array<std::vector<float>, 3> rows_;
  std::vector<float> patch_, flat_;
};

}  // namespace stream::asr
