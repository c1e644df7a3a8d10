#include "signals/frame_patches.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "stream/error.hpp"

namespace stream::signals {

PatchGrid::PatchGrid(const Frame& frame, int size)
    : frame_(frame),
      size_(size),
      columns_((frame.width() - 1) / size + 1),
      rows_((frame.height() - 1) / size + 1),
      bytes_(size_of(frame.depth())),
      top_(std::exp2(frame.depth() == DType::kU8 ? 8 : frame.bits()) - 1) {
  if (frame.depth() == DType::kF32) throw bad_data("a frame of float samples, expected integers");
  if (frame.format() == PixelFormat::kRgb)
    throw bad_data(
        "a frame of red, green and blue, expected luma: video.convert with format = \"yuv444p\" before");
}

std::vector<double> PatchGrid::patch(std::int64_t i) const {
  const auto& plane = frame_.planes()[0];
  const int left = static_cast<int>(i % columns_) * size_, top = static_cast<int>(i / columns_) * size_;
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_));
  for (int y = top; y < top + size_; ++y) {
    const std::byte* row =
        plane.data.data() + static_cast<std::size_t>(std::min(y, plane.height - 1)) * plane.stride;
    for (int x = left; x < left + size_; ++x) {
      const auto at = static_cast<std::size_t>(std::min(x, plane.width - 1));
      std::uint16_t wide = static_cast<std::uint8_t>(row[at]);
      if (bytes_ == 2) std::memcpy(&wide, row + 2 * at, 2);
      out.push_back(wide / top_);
    }
  }
  return out;
}

void PatchGrid::put(std::int64_t i, std::span<const double> patch, std::vector<std::uint8_t>& luma) const {
  const auto& plane = frame_.planes()[0];
  const int left = static_cast<int>(i % columns_) * size_, top = static_cast<int>(i / columns_) * size_;
  const auto width = static_cast<std::size_t>(plane.width);
  for (int y = top; y < std::min(top + size_, plane.height); ++y) {
    for (int x = left; x < std::min(left + size_, plane.width); ++x) {
      const double value = patch[static_cast<std::size_t>((y - top) * size_ + x - left)];
      const auto wide = static_cast<std::uint16_t>(std::lround(top_ * std::clamp(value, 0.0, 1.0)));
      const std::size_t at = static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x);
      if (bytes_ == 2)
        std::memcpy(luma.data() + 2 * at, &wide, 2);
      else
        luma[at] = static_cast<std::uint8_t>(wide);
    }
  }
}

std::vector<std::uint8_t> PatchGrid::luma() const {
  const auto& plane = frame_.planes()[0];
  const std::size_t row = static_cast<std::size_t>(plane.width) * bytes_;
  std::vector<std::uint8_t> out(row * static_cast<std::size_t>(plane.height));
  for (int y = 0; y < plane.height; ++y)
    std::memcpy(out.data() + static_cast<std::size_t>(y) * row,
                plane.data.data() + static_cast<std::size_t>(y) * plane.stride, row);
  return out;
}

std::shared_ptr<const Frame> PatchGrid::with(std::vector<std::uint8_t> luma) const {
  std::vector<Frame::Plane> planes(frame_.planes().begin(), frame_.planes().end());
  planes[0].stride = static_cast<std::size_t>(planes[0].width) * bytes_;
  planes[0].data = Buffer::own(std::move(luma));
  return std::make_shared<const Frame>(frame_.width(), frame_.height(), frame_.format(), frame_.depth(),
                                       std::move(planes), frame_.range(), frame_.matrix(), frame_.bits(),
                                       frame_.sampling());
}

double mean_of(std::span<const double> patch) {
  return std::accumulate(patch.begin(), patch.end(), 0.0) / static_cast<double>(patch.size());
}

std::vector<double> without_mean(std::span<const double> patch) {
  std::vector<double> out;
  double sum = patch[0];
  for (std::size_t k = 1; k < patch.size(); ++k) {
    const auto n = static_cast<double>(k);
    out.push_back((sum - n * patch[k]) / std::sqrt(n * (n + 1)));
    sum += patch[k];
  }
  return out;
}

std::vector<double> with_mean(std::span<const double> coordinates, double mean) {
  std::vector<double> out(coordinates.size() + 1, mean);
  double after = 0;  // what the coordinates from k on add to each number before k
  for (std::size_t k = coordinates.size(); k > 0; --k) {
    const auto n = static_cast<double>(k);
    const double c = coordinates[k - 1] / std::sqrt(n * (n + 1));
    out[k] += after - n * c;
    after += c;
  }
  out[0] += after;
  return out;
}

}  // namespace stream::signals
