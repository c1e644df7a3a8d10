#include "asr/stream_encoder.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::size_t kBefore =
    kHalf + 1;  // of a frame's centre: its window and one sample for the pre-emphasis
constexpr std::array<std::int64_t, 3> kStageMels = {80, 41, 21};
std::size_t samples_for(std::int64_t mel_frames) {
  return static_cast<std::size_t>((mel_frames - 1) * kHop + kWindow + 1);
}
}  // namespace

StreamEncoder::StreamEncoder(std::shared_ptr<const Conformer> network, std::int64_t lookahead)
    : network_(std::move(network)), chunk_(lookahead + 1), left_(network_->shape().left) {
  const auto& list = network_->shape().lookaheads;
  if (std::find(list.begin(), list.end(), lookahead) == list.end()) {
    std::string names;
    for (const auto r : list) names += (names.empty() ? "" : ", ") + std::to_string(r);
    throw bad_recipe("lookahead is " + std::to_string(lookahead) + ", but this model was trained for " +
                     names);
  }
  buffer_.resize(samples_for(kSubsampling * chunk_));
  nn::inference([&] {
    const at::Tensor r =
        nn::relative_positions(left_ + chunk_ - 1, -(chunk_ - 1), network_->shape().features);
    for (const auto& layer : network_->layers()) positions_.push_back(layer->project_positions(r));
  });
  reset();
}

void StreamEncoder::reset() {
  nn::inference([&] {
    const auto& s = network_->shape();
    std::fill(buffer_.begin(), buffer_.end(), 0.0f);
    filled_ = kBefore;
    samples_ = mels_ = frames_ = 0;
    for (std::size_t i = 0; i < 3; ++i)
      rows_[i] = torch::zeros({1, i == 0 ? 1 : s.channels, 2, kStageMels[i]});
    kv_.assign(network_->layers().size(), torch::zeros({1, left_, 2 * s.features}));
    conv_.assign(network_->layers().size(), torch::zeros({1, s.kernel - 1, s.features}));
  });
}

void StreamEncoder::push(std::span<const float> samples, const Sink& sink) {
  while (!samples.empty()) {
    const std::size_t need = samples_for(wanted());
    const std::size_t take = std::min(samples.size(), need - filled_);
    std::copy_n(samples.begin(), take, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += take, samples_ += static_cast<std::int64_t>(take);
    samples = samples.subspan(take);
    if (filled_ == need) compute(wanted(), false, sink);
  }
}

void StreamEncoder::finish(const Sink& sink) {
  // The last two frames may lack only the end of their window, so a whole chunk can still be waiting before
  // the rest.
  const std::int64_t total = FrontEnd::frames(samples_);
  while (mels_ < total) {
    const std::int64_t now = std::min(wanted(), total - mels_);
    const std::size_t need = samples_for(now);
    if (filled_ < need) {
      std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(need), 0.0f);
      filled_ = need;
    }
    compute(now, mels_ + now == total, sink);
  }
  reset();
}

void StreamEncoder::compute(std::int64_t count, bool last, const Sink& sink) {
  nn::inference([&] {
    const auto used = static_cast<std::int64_t>(samples_for(count));
    at::Tensor x =
        front_end_.forward(at::from_blob(buffer_.data(), {used}, at::kFloat)).view({1, 1, count, kMels});
    std::int64_t total = mels_ + count;
    for (int i = 0; i < 3; ++i) {
      at::Tensor& cache = rows_[static_cast<std::size_t>(i)];
      // At the start two rows of zeros come before; later each output begins at the last row of the chunk
      // before.
      std::vector<at::Tensor> parts{mels_ == 0 ? cache : cache.narrow(2, 1, 1), x};
      const bool pad = last && total % 2 == 0;
      if (pad) parts.push_back(torch::zeros({1, x.size(1), 1, x.size(3)}));
      const at::Tensor rows = at::cat(parts, 2);
      cache = at::cat({cache, x}, 2).narrow(2, x.size(2), 2);
      x = network_->subsampling().stage(i, rows);
      total = total / 2 + 1;
    }
    x = network_->subsampling().project(x) * std::sqrt(static_cast<double>(network_->shape().features));
    const std::int64_t n = x.size(1), valid = std::min(frames_, left_);
    at::Tensor mask = torch::zeros({1, 1, 1, left_ + n});
    if (valid < left_) mask.narrow(-1, 0, left_ - valid).fill_(-INFINITY);
    at::Tensor r;
    if (n != chunk_) r = nn::relative_positions(left_ + n - 1, -(n - 1), network_->shape().features);
    for (std::size_t i = 0; i < kv_.size(); ++i) {
      const auto& layer = *network_->layers()[i];
      x = layer.forward(x, &kv_[i], &conv_[i], n == chunk_ ? positions_[i] : layer.project_positions(r),
                        mask);
      // Views of the chunk's tensors would keep more memory than the caches' own.
      kv_[i] = kv_[i].clone(), conv_[i] = conv_[i].clone();
    }
    const std::int64_t first = frames_;
    mels_ += count, frames_ += n;
    const std::size_t drop = static_cast<std::size_t>(count * kHop);
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(std::min(drop, filled_)),
              buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= std::min(drop, filled_);
    sink(first, network_->heads(x));
  });
}

void StreamEncoder::save(Archive& state) const {
  state.set("lookahead", chunk_ - 1);
  state.set("samples", samples_);
  state.set("mel_frames", mels_);
  state.set("frames", frames_);
  state.set("tail", std::span<const float>(buffer_.data(), filled_));
  for (std::size_t i = 0; i < rows_.size(); ++i)
    state.set("subsampling" + std::to_string(i), nn::snapshot(rows_[i]));
  for (std::size_t i = 0; i < kv_.size(); ++i) {
    state.set("keys_values" + std::to_string(i), nn::snapshot(kv_[i]));
    state.set("convolution" + std::to_string(i), nn::snapshot(conv_[i]));
  }
}

void StreamEncoder::load(const Archive& state) {
  if (state.get<std::int64_t>("lookahead") != chunk_ - 1)
    throw bad_data("the saved state has the look-ahead " +
                   std::to_string(state.get<std::int64_t>("lookahead")) + ", expected " +
                   std::to_string(chunk_ - 1));
  const auto restore = [&](const std::string& name, at::Tensor& into) {
    const at::Tensor from = nn::view(state.tensor(name));
    if (from.sizes() != into.sizes() || from.scalar_type() != at::kFloat)
      throw bad_data("the saved state '" + name + "' belongs to another model");
    into = from.clone();
  };
  nn::inference([&] {
    const auto tail = state.get<std::vector<float>>("tail");
    samples_ = state.get<std::int64_t>("samples");
    mels_ = state.get<std::int64_t>("mel_frames");
    frames_ = state.get<std::int64_t>("frames");
    if (samples_ < 0 || mels_ < 0 || frames_ < 0 || tail.size() >= samples_for(wanted()) ||
        static_cast<std::int64_t>(tail.size()) !=
            samples_ + static_cast<std::int64_t>(kBefore) - mels_ * kHop)
      throw bad_data("the saved samples do not fit the saved counters");
    std::copy(tail.begin(), tail.end(), buffer_.begin());
    filled_ = tail.size();
    for (std::size_t i = 0; i < rows_.size(); ++i) restore("subsampling" + std::to_string(i), rows_[i]);
    for (std::size_t i = 0; i < kv_.size(); ++i) {
      restore("keys_values" + std::to_string(i), kv_[i]);
      restore("convolution" + std::to_string(i), conv_[i]);
    }
  });
}

std::size_t StreamEncoder::state_bytes() const {
  std::size_t bytes = buffer_.size() * sizeof(float) + 3 * sizeof(std::int64_t);
  for (const auto& t : rows_) bytes += t.nbytes();
  for (const auto& t : kv_) bytes += t.nbytes();
  for (const auto& t : conv_) bytes += t.nbytes();
  return bytes;
}

}  // namespace stream::asr
