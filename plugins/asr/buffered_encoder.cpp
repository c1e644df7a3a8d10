#include "asr/buffered_encoder.hpp"

#include <algorithm>
#include <limits>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::asr {

BufferedEncoder::BufferedEncoder(std::shared_ptr<const Conformer> network, std::int64_t chunk,
                                 std::int64_t window)
    : network_(std::move(network)),
      chunk_(chunk),
      window_(window),
      front_end_(kSubsampling * std::max<std::int64_t>(chunk, 1)),
      rows_(kSubsampling * window - (kSubsampling - 1)) {
  if (chunk < 1 || chunk > window)
    throw bad_recipe("a window of " + std::to_string(window) + " frames of 80 ms cannot move by " +
                     std::to_string(chunk));
  nn::inference([&] {
    const at::Tensor r = nn::relative_positions(window_ - 1, -(window_ - 1), network_->shape().features);
    for (const auto& layer : network_->layers()) positions_.push_back(layer->project_positions(r));
    silence_ = FrontEnd().forward(torch::zeros({kWindow + 1}));
    mels_ = torch::empty({2 * rows_ + kSubsampling * chunk_, kMels});
  });
  reset();
}

void BufferedEncoder::reset() {
  nn::inference([&] {
    front_end_.reset();
    mels_.narrow(0, 0, rows_).copy_(silence_.expand({rows_, kMels}));
    end_ = rows_;
    frames_ = 0;
  });
}

void BufferedEncoder::push(std::span<const float> samples, const Sink& sink) {
  while (!samples.empty()) {
    samples = samples.subspan(front_end_.take(samples, wanted()));
    if (front_end_.complete(wanted())) compute(std::numeric_limits<std::int64_t>::max(), sink);
  }
}

void BufferedEncoder::finish(const Sink& sink) {
  const std::int64_t total = Subsampling::output_length(FrontEnd::frames(front_end_.samples()));
  while (total > 0 && frames_ - ahead() < total) {
    front_end_.pad(wanted());
    compute(total, sink);
  }
  reset();
}

void BufferedEncoder::compute(std::int64_t limit, const Sink& sink) {
  nn::inference([&] {
    const at::Tensor fresh = front_end_.next(wanted());
    const std::int64_t n = fresh.size(0);
    if (end_ + n > mels_.size(0)) {
      // There is room for two windows: what is still needed moves once a window, and never over itself.
      const std::int64_t kept = std::max<std::int64_t>(rows_ - n, 0);
      mels_.narrow(0, 0, kept).copy_(mels_.narrow(0, end_ - kept, kept));
      end_ = kept;
    }
    mels_.narrow(0, end_, n).copy_(fresh);
    end_ += n, frames_ += chunk_;

    const std::int64_t first = frames_ - ahead() - chunk_;
    const std::int64_t from = std::max<std::int64_t>(first, 0), to = std::min(first + chunk_, limit);
    if (from >= to) return;
    const at::Tensor window = mels_.narrow(0, end_ - rows_, rows_).unsqueeze(0);
    at::Tensor x =
        network_->subsampling().forward(window) * std::sqrt(static_cast<double>(network_->shape().features));
    for (std::size_t i = 0; i < positions_.size(); ++i)
      x = network_->layers()[i]->forward(x, nullptr, nullptr, positions_[i], {});
    sink(from, network_->heads(x.narrow(1, window_ - ahead() - chunk_ + (from - first), to - from)));
  });
}

}  // namespace stream::asr
