#include "asr/stream_encoder.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
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
      front_end_(kSubsampling * chunk_),
      subsampling_(*network_),
      layers_(*network_),
      positions_(layers_.positions(chunk_, left_ + chunk_)) {
  reset();
}

void StreamEncoder::reset() {
  front_end_.reset();
  frames_ = 0;
  rows_ = subsampling_.begin();
  caches_ = layers_.begin();
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
    const at::Tensor mels = front_end_.next(count);
    const std::int64_t n = subsampling_.forward(mels.data_ptr<float>(), count, front_end_.frames(), last,
                                                &rows_, x_, layers_.ld());
    const std::int64_t hidden = left_ - std::min(frames_, left_);
    layers_.forward(x_.data(), n == chunk_ ? positions_ : layers_.positions(n, left_ + n), &caches_, hidden);
    const std::int64_t first = frames_;
    frames_ += n;
    sink(first, network_->heads(layers_.frames(x_, 0, n)));
  });
}

void StreamEncoder::save(Archive& state) const {
  state.set("lookahead", chunk_ - 1);
  front_end_.save(state);
  state.set("frames", frames_);
  for (std::size_t i = 0; i < rows_.size(); ++i)
    state.set("subsampling" + std::to_string(i), nn::snapshot(rows_[i]));
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    state.set("keys_values" + std::to_string(i), nn::snapshot(caches_[i].kv));
    state.set("convolution" + std::to_string(i), nn::snapshot(caches_[i].conv));
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
    for (std::size_t i = 0; i < caches_.size(); ++i) {
      restore("keys_values" + std::to_string(i), caches_[i].kv);
      restore("convolution" + std::to_string(i), caches_[i].conv);
    }
  });
}

std::size_t StreamEncoder::state_bytes() const {
  std::size_t bytes = front_end_.state_bytes() + sizeof frames_;
  for (const auto& t : rows_) bytes += t.nbytes();
  for (const auto& cache : caches_) bytes += cache.kv.nbytes() + cache.conv.nbytes();
  return bytes;
}

}  // namespace stream::asr
