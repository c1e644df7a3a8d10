#include "products/product_frames.hpp"

#include <algorithm>
#include <cstring>

#include "stream/error.hpp"
#include "video_decoder.hpp"

namespace stream::products {

std::vector<std::uint8_t> FrameShrinker::operator()(const std::shared_ptr<const Frame>& frame) {
  FrameLayout to;
  to.width = to.height = size_;
  to.format = PixelFormat::kRgb, to.bits = 8, to.range = ColorRange::kFull;
  const FrameLayout from = FrameLayout::of(*frame);
  const auto copy = [&](const Frame& picture) {
    std::vector<std::uint8_t> out(3 * static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_));
    auto* into = out.data();
    for (const Frame::Plane& plane : picture.planes())
      for (int y = 0; y < size_; ++y, into += size_)
        std::memcpy(into, plane.data.data() + static_cast<std::size_t>(y) * plane.stride,
                    static_cast<std::size_t>(size_));
    return out;
  };
  if (from.width == size_ && from.height == size_ && from.format == PixelFormat::kRgb && from.bits == 8)
    return copy(*frame);
  if (!conversion_) conversion_.emplace(to, SWS_AREA);
  return copy(conversion_->convert(frame));
}

void FrameKeeper::add(std::span<const std::uint8_t> frame) {
  if (added_++ % stride_ != 0) return;
  frames_.insert(frames_.end(), frame.begin(), frame.end());
  if (kept() <= kMost) return;
  std::vector<std::uint8_t> half;
  const std::size_t size = bytes();
  for (std::size_t f = 0; f < kept(); f += 2)
    half.insert(half.end(), frames_.begin() + static_cast<std::ptrdiff_t>(f * size),
                frames_.begin() + static_cast<std::ptrdiff_t>((f + 1) * size));
  frames_ = std::move(half);
  stride_ *= 2;
}

void FrameKeeper::save(Archive& state) const {
  state.set("added", added_);
  state.set("stride", stride_);
  state.set("frames", frames_);
}

void FrameKeeper::load(const Archive& state) {
  added_ = state.get<std::int64_t>("added");
  stride_ = state.get<std::int64_t>("stride");
  frames_ = state.get<std::vector<std::uint8_t>>("frames");
  if (added_ < 0 || stride_ < 1 || frames_.size() % bytes() != 0 || kept() > kMost)
    throw bad_data("the saved frames are damaged");
}

namespace {

Clip read_frames(const std::string& path, int size, bool one, std::int64_t* changes) {
  VideoInput in(path);
  if (in.peek(Y4mHeader::kMagic.size()); in.first().empty()) throw bad_data(path + " is empty");
  const auto decoder =
      in.first() == Y4mHeader::kMagic ? make_y4m_decoder(in, {}) : make_libav_decoder(in, {});
  FrameShrinker shrink(size);
  FrameKeeper kept(size);
  int width = 0, height = 0;
  try {
    for (Packet packet; decoder->decode(packet) == VideoDecoder::Status::kFrame;) {
      const auto frame = std::static_pointer_cast<const Frame>(packet.payload);
      if (changes && width > 0 && (frame->width() != width || frame->height() != height)) ++*changes;
      width = frame->width(), height = frame->height();
      if (kept.wants())
        kept.add(shrink(frame));
      else
        kept.pass();
      if (one) break;
    }
  } catch (const Error& e) {
    if (std::string_view(e.what()).find(path) != std::string_view::npos) throw;
    throw e.within(path);
  }
  if (kept.kept() == 0) throw bad_data(path + " has no picture");
  Clip clip;
  clip.size = size, clip.frames = kept.frames(), clip.name = path;
  return clip;
}

}  // namespace

Clip read_picture(const std::string& path, int size) { return read_frames(path, size, true, nullptr); }
Clip read_video(const std::string& path, int size, std::int64_t* changes) {
  return read_frames(path, size, false, changes);
}

}  // namespace stream::products
