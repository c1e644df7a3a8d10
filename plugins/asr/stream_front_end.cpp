#include "asr/stream_front_end.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::asr {

namespace {
/// Of a frame's centre: its window and one sample for the pre-emphasis.
constexpr std::size_t kBefore = kHalf + 1;
}  // namespace

StreamFrontEnd::StreamFrontEnd(std::int64_t most) {
  buffer_.resize(samples_for(most));
  reset();
}

void StreamFrontEnd::reset() {
  std::fill(buffer_.begin(), buffer_.end(), 0.0f);
  filled_ = kBefore;
  samples_ = frames_ = 0;
}

std::size_t StreamFrontEnd::take(std::span<const float> samples, std::int64_t count) {
  const std::size_t need = samples_for(count);
  const std::size_t taken = need > filled_ ? std::min(samples.size(), need - filled_) : 0;
  std::copy_n(samples.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += taken, samples_ += static_cast<std::int64_t>(taken);
  return taken;
}

void StreamFrontEnd::pad(std::int64_t count) {
  const std::size_t need = samples_for(count);
  if (filled_ >= need) return;
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(need), 0.0f);
  filled_ = need;
}

at::Tensor StreamFrontEnd::next(std::int64_t count) {
  const auto used = static_cast<std::int64_t>(samples_for(count));
  at::Tensor mels = front_end_.forward(at::from_blob(buffer_.data(), {used}, at::kFloat));
  const std::size_t drop = std::min(static_cast<std::size_t>(count * kHop), filled_);
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(drop),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  filled_ -= drop;
  frames_ += count;
  return mels;
}

void StreamFrontEnd::save(Archive& state) const {
  state.set("samples", samples_);
  state.set("mel_frames", frames_);
  state.set("tail", std::span<const float>(buffer_.data(), filled_));
}

void StreamFrontEnd::load(const Archive& state) {
  const auto tail = state.get<std::vector<float>>("tail");
  samples_ = state.get<std::int64_t>("samples");
  frames_ = state.get<std::int64_t>("mel_frames");
  // Bounded before they are multiplied.
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  if (samples_ < 0 || samples_ > kMost || frames_ < 0 || frames_ > samples_ / kHop + 1 ||
      tail.size() >= buffer_.size() ||
      static_cast<std::int64_t>(tail.size()) !=
          samples_ + static_cast<std::int64_t>(kBefore) - frames_ * kHop)
    throw bad_data("the saved samples do not fit the saved counters");
  std::copy(tail.begin(), tail.end(), buffer_.begin());
  filled_ = tail.size();
}

}  // namespace stream::asr
