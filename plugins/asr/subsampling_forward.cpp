#include "asr/subsampling_forward.hpp"

#include <algorithm>

#include "asr/front_end.hpp"
#include "asr/network_weights.hpp"

namespace stream::asr {

namespace {
constexpr std::int64_t kTaps = 9;  // 3 rows x 3 mels
// Zeros beside each row, as the convolutions pad: two before, one behind.
constexpr std::int64_t kBefore = 2, kBeside = 3;

/// What a stage makes of that many mels (or rows) with its padding.
std::int64_t halved(std::int64_t n) { return n / 2 + 1; }
}  // namespace

SubsamplingForward::SubsamplingForward(const Conformer& network)
    : channels_(nn::padded(network.shape().channels)) {
  const NetworkWeights weights(network);
  const std::int64_t c = network.shape().channels, d = network.shape().features;
  std::int64_t mels = kMels;
  for (std::size_t i = 0; i < 3; ++i, mels = halved(mels)) {
    Stage& stage = stages_[i];
    stage.mels = mels, stage.channels = i == 0 ? 1 : channels_;
    const std::string n = std::to_string(i);
    if (i == 0) {
      stage.dense = weights.dense("pre_encode.conv0_weight", "pre_encode.conv0_bias");
      continue;
    }
    stage.dense = weights.dense("pre_encode.pointwise" + n + "_weight", "pre_encode.pointwise" + n + "_bias");
    stage.bias = weights.row("pre_encode.depthwise" + n + "_bias");
    stage.weights.resize(static_cast<std::size_t>(kTaps * channels_));
    const auto kernel = weights.at("pre_encode.depthwise" + n + "_weight");  // [C, 1, 3, 3]
    for (std::int64_t k = 0; k < kTaps; ++k)
      for (std::int64_t j = 0; j < c; ++j)
        stage.weights[static_cast<std::size_t>(k * channels_ + j)] =
            kernel[static_cast<std::size_t>(j * kTaps + k)];
  }
  // From [d, C, mels] to [d, mels, C], scaled as the encoder scales its input.
  const auto weight = weights.at("pre_encode.out.weight"), bias = weights.at("pre_encode.out.bias");
  const float scale = std::sqrt(static_cast<float>(d));
  std::vector<float> turned(static_cast<std::size_t>(d * mels * channels_)), shift(bias.begin(), bias.end());
  for (std::int64_t o = 0; o < d; ++o)
    for (std::int64_t m = 0; m < mels; ++m)
      for (std::int64_t j = 0; j < c; ++j)
        turned[static_cast<std::size_t>((o * mels + m) * channels_ + j)] =
            scale * weight[static_cast<std::size_t>((o * c + j) * mels + m)];
  for (float& b : shift) b *= scale;
  project_ = nn::DenseLinear(turned, shift, d, mels * channels_);
}

SubsamplingForward::History SubsamplingForward::begin() const {
  History out;
  for (std::size_t i = 0; i < 3; ++i) out[i] = torch::zeros({2, stages_[i].mels, stages_[i].channels});
  return out;
}

void SubsamplingForward::row(const Stage& stage, const float* rows, float* out) {
  const std::int64_t mels = halved(stage.mels), length = (stage.mels + kBeside) * stage.channels;
  if (stage.weights.empty()) {
    float* to = room(patch_, mels * kTaps);
    for (std::int64_t m = 0; m < mels; ++m)
      for (std::int64_t t = 0; t < 3; ++t)
        for (std::int64_t k = 0; k < 3; ++k) *to++ = rows[t * length + 2 * m + k];
    stage.dense.forward(patch_.data(), kTaps, out, channels_, mels);
  } else {
    std::array<const float*, kTaps> sources{};
    for (std::int64_t k = 0; k < kTaps; ++k)
      sources[static_cast<std::size_t>(k)] = rows + k / 3 * length + k % 3 * channels_;
    float* mixed = room(patch_, mels * channels_);
    nn::weighted(sources, 2 * channels_, stage.weights.data(), channels_, stage.bias.data(), mixed, channels_,
                 mels, stage.dense.in());
    stage.dense.forward(mixed, channels_, out, channels_, mels);
  }
  nn::dense_kernels().relu(out, mels * channels_);
}

std::int64_t SubsamplingForward::forward(const float* mels, std::int64_t count, std::int64_t total, bool last,
                                         History* history, std::vector<float>& x, std::int64_t ld) {
  // The first output of a stream begins at two rows of zeros; each later one at the last row of those before.
  const std::int64_t before = count == total ? 2 : 1;
  std::int64_t fresh = count;
  for (std::size_t i = 0; i < 3; ++i) {
    const Stage& stage = stages_[i];
    const std::int64_t inner = stage.mels * stage.channels, length = inner + kBeside * stage.channels;
    const bool pad = last && total % 2 == 0;
    const std::int64_t rows = before + fresh + (pad ? 1 : 0);
    float* const at = room(rows_[i], rows * length);
    const auto values = [&](std::int64_t r) { return at + r * length + kBefore * stage.channels; };
    // A later stage finds its fresh rows written by the one before.
    if (i == 0)
      for (std::int64_t r = 0; r < fresh; ++r) std::copy_n(mels + r * kMels, kMels, values(before + r));
    float* const old = history ? (*history)[i].data_ptr<float>() : nullptr;
    for (std::int64_t r = 0; r < before; ++r) {
      if (old)
        std::copy_n(old + (2 - before + r) * inner, inner, values(r));
      else
        std::fill_n(values(r), inner, 0.0f);
    }
    if (pad) std::fill_n(values(rows - 1), inner, 0.0f);
    for (std::int64_t r = 0; r < rows; ++r) {
      std::fill_n(at + r * length, kBefore * stage.channels, 0.0f);
      std::fill_n(values(r) + inner, (kBeside - kBefore) * stage.channels, 0.0f);
    }
    for (std::int64_t r = 0; old && r < 2; ++r)
      std::copy_n(values(before + fresh - 2 + r), inner, old + r * inner);

    const std::int64_t made = (rows - 3) / 2 + 1, width = halved(stage.mels) * channels_;
    const std::int64_t next = i == 2 ? width : width + kBeside * channels_;
    float* out = i == 2
                     ? room(flat_, made * next)
                     : room(rows_[i + 1], (before + made + 1) * next) + before * next + kBefore * channels_;
    for (std::int64_t r = 0; r < made; ++r) row(stage, at + 2 * r * length, out + r * next);
    fresh = made;
    total = halved(total);
  }
  room(x, fresh * ld);
  project_.forward(flat_.data(), project_.in(), x.data(), ld, fresh);
  return fresh;
}

}  // namespace stream::asr
