#include "asr/buffered_encoder.hpp"

#include <algorithm>
#include <limits>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
std::int64_t checked(std::int64_t chunk, std::int64_t window) {
  if (chunk < 1 || chunk > window)
    throw bad_recipe("a window of " + std::to_string(window) + " frames of 80 ms cannot move by " +
                     std::to_string(chunk));
  return chunk;
}
}  // namespace

BufferedEncoder::BufferedEncoder(std::shared_ptr<const Conformer> network, std::int64_t chunk,
                                 std::int64_t window)
    : network_(std::move(network)),
      chunk_(checked(chunk, window)),
      window_(window),
      front_end_(kSubsampling * chunk_),
      subsampling_(*network_),
      layers_(*network_),
      positions_(layers_.positions(window_, window_)),
      rows_(kSubsampling * window - (kSubsampling - 1)) {
  nn::inference([&] {
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
    subsampling_.forward(mels_.data_ptr<float>() + (end_ - rows_) * kMels, rows_, rows_, /*last=*/true,
                         nullptr, x_, layers_.ld());
    layers_.forward(x_.data(), positions_, nullptr, 0);
    sink(from, network_->heads(layers_.frames(x_, window_ - ahead() - chunk_ + (from - first), to - from)));
  });
}

}  // namespace stream::asr
