#include "asr/stream_encoder.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::array<std::int64_t, 3> kStageMels = {80, 41, 21};

std::int64_t checked(std::int64_t lookahead, const std::vector<std::int64_t>& known) {
  if (std::find(known.begin(), known.end(), lookahead) != known.end()) return lookahead;
  std::string names;
  for (const auto r : known) names += (names.empty() ? "" : ", ") + std::to_string(r);
  throw bad_recipe("lookahead is " + std::to_string(lookahead) + ", but this model was trained for " + names);
}
}  // namespace

StreamEncoder::StreamEncoder(std::shared_ptr<const Conformer> network, std::int64_t lookahead)
    : network_(std::move(network)),
      chunk_(checked(lookahead, network_->shape().lookaheads) + 1),
      left_(network_->shape().left),
      front_end_(kSubsampling * chunk_) {
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
    front_end_.reset();
    frames_ = 0;
    for (std::size_t i = 0; i < 3; ++i)
      rows_[i] = torch::zeros({1, i == 0 ? 1 : s.channels, 2, kStageMels[i]});
    kv_.assign(network_->layers().size(), torch::zeros({1, left_, 2 * s.features}));
    conv_.assign(network_->layers().size(), torch::zeros({1, s.kernel - 1, s.features}));
  });
}

void StreamEncoder::push(std::span<const float> samples, const Sink& sink) {
  while (!samples.empty()) {
    samples = samples.subspan(front_end_.take(samples, wanted()));
    if (front_end_.complete(wanted())) compute(wanted(), false, sink);
  }
}

void StreamEncoder::finish(const Sink& sink) {
  // The last two frames may lack only the end of their window, so a whole chunk can still be waiting before
  // the rest.
  const std::int64_t total = FrontEnd::frames(samples());
  while (front_end_.frames() < total) {
    const std::int64_t now = std::min(wanted(), total - front_end_.frames());
    front_end_.pad(now);
    compute(now, front_end_.frames() + now == total, sink);
  }
  reset();
}

void StreamEncoder::compute(std::int64_t count, bool last, const Sink& sink) {
  nn::inference([&] {
    const bool first_chunk = front_end_.frames() == 0;
    at::Tensor x = front_end_.next(count).view({1, 1, count, kMels});
    std::int64_t total = front_end_.frames();
    for (int i = 0; i < 3; ++i) {
      at::Tensor& cache = rows_[static_cast<std::size_t>(i)];
      // At the start two rows of zeros come before; later each output begins at the last row of the chunk
      // before.
      std::vector<at::Tensor> parts{first_chunk ? cache : cache.narrow(2, 1, 1), x};
      const bool pad = last && total % 2 == 0;
      if (pad) parts.push_back(torch::zeros({1, x.size(1), 1, x.size(3)}));
      const at::Tensor rows = at::cat(parts, 2);
      // A view of the chunk's rows would keep all of them in memory.
      cache =
          (x.size(2) > 1 ? x.narrow(2, x.size(2) - 2, 2) : at::cat({cache.narrow(2, 1, 1), x}, 2)).clone();
      x = network_->subsampling().stage(i, rows);
      total = total / 2 + 1;
    }
    x = network_->subsampling().project(x) * std::sqrt(static_cast<double>(network_->shape().features));
    const std::int64_t n = x.size(1), valid = std::min(frames_, left_);
    at::Tensor mask;  // until the caches are full, to hide what they lack
    if (valid < left_) {
      mask = torch::zeros({1, 1, 1, left_ + n});
      mask.narrow(-1, 0, left_ - valid).fill_(-INFINITY);
    }
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
    frames_ += n;
    sink(first, network_->heads(x));
  });
}

void StreamEncoder::save(Archive& state) const {
  state.set("lookahead", chunk_ - 1);
  front_end_.save(state);
  state.set("frames", frames_);
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
    front_end_.load(state);
    frames_ = state.get<std::int64_t>("frames");
    if (frames_ < 0 || front_end_.complete(wanted()))
      throw bad_data("the saved samples do not fit the saved counters");
    for (std::size_t i = 0; i < rows_.size(); ++i) restore("subsampling" + std::to_string(i), rows_[i]);
    for (std::size_t i = 0; i < kv_.size(); ++i) {
      restore("keys_values" + std::to_string(i), kv_[i]);
      restore("convolution" + std::to_string(i), conv_[i]);
    }
  });
}

std::size_t StreamEncoder::state_bytes() const {
  std::size_t bytes = front_end_.state_bytes() + sizeof frames_;
  for (const auto& t : rows_) bytes += t.nbytes();
  for (const auto& t : kv_) bytes += t.nbytes();
  for (const auto& t : conv_) bytes += t.nbytes();
  return bytes;
}

}  // namespace stream::asr
