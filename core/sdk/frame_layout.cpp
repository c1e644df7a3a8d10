#include "stream/frame_layout.hpp"

#include <mutex>
#include <new>

#include "stream/error.hpp"

namespace stream {
namespace {

constexpr const char* kFormatNames[] = {"gray", "yuv420p", "yuv422p", "yuv444p", "rgb"};
constexpr std::align_val_t kAlignment{64};
/// More than a graph holds at a time are freed: a pool must not keep the memory of a burst.
constexpr std::size_t kMostIdle = 16;

}  // namespace

struct FramePool::Idle {
  std::mutex mutex;
  std::size_t size = 0;
  std::vector<std::byte*> blocks;
  ~Idle() { clear(); }
  void clear() {
    for (std::byte* block : blocks) ::operator delete(block, kAlignment);
    blocks.clear();
  }
};

FramePool::FramePool() : idle_(std::make_shared<Idle>()) {}

std::shared_ptr<std::byte> FramePool::take(std::size_t size) {
  std::byte* block = nullptr;
  {
    const std::lock_guard lock(idle_->mutex);
    if (idle_->size != size) {
      idle_->clear();
      idle_->size = size;
      idle_->blocks.reserve(kMostIdle);
    }
    if (!idle_->blocks.empty()) {
      block = idle_->blocks.back();
      idle_->blocks.pop_back();
    }
  }
  if (block == nullptr) block = static_cast<std::byte*>(::operator new(size, kAlignment));
  return {block, [size, idle = idle_](std::byte* done) {
            const std::lock_guard lock(idle->mutex);
            if (idle->size == size && idle->blocks.size() < kMostIdle)
              idle->blocks.push_back(done);
            else
              ::operator delete(done, kAlignment);
          }};
}

FrameLayout FrameLayout::of(const Frame& frame) {
  if (frame.depth() == DType::kF32)
    throw bad_data("a frame of float samples, expected integers of 8 to 16 bits");
  return {frame.width(), frame.height(), frame.format(),  frame.depth() == DType::kU8 ? 8 : frame.bits(),
          frame.range(), frame.matrix(), frame.sampling()};
}

bool FrameLayout::same_format(const FrameLayout& other) const {
  return width == other.width && height == other.height && format == other.format && bits == other.bits &&
         range == other.range && matrix == other.matrix;
}

void FrameLayout::check() const {
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide)
    throw bad_data("a picture of " + std::to_string(width) + "x" + std::to_string(height) +
                   ", expected sides of 1 to " + std::to_string(kMostSide));
  if (bits < 8 || bits > 16) throw bad_data("samples of " + std::to_string(bits) + " bits, expected 8 to 16");
}

int FrameLayout::plane_width(int plane) const {
  const bool half = plane > 0 && (format == PixelFormat::kYuv420 || format == PixelFormat::kYuv422);
  return half ? (width - 1) / 2 + 1 : width;
}

int FrameLayout::plane_height(int plane) const {
  return plane > 0 && format == PixelFormat::kYuv420 ? (height - 1) / 2 + 1 : height;
}

std::size_t FrameLayout::plane_bytes(int plane) const {
  return static_cast<std::size_t>(plane_width(plane)) * static_cast<std::size_t>(plane_height(plane)) *
         size_of(depth());
}

std::size_t FrameLayout::bytes() const {
  std::size_t sum = 0;
  for (int i = 0; i < planes(); ++i) sum += plane_bytes(i);
  return sum;
}

std::string FrameLayout::text() const {
  std::string out = std::to_string(width) + "x" + std::to_string(height) + " " + std::string(name_of(format));
  if (bits > 8) out += std::to_string(bits);
  if (range != ColorRange::kUnspecified) out += range == ColorRange::kFull ? " full" : " limited";
  return matrix.empty() ? out : out + " " + matrix;
}

Frame FrameLayout::frame(const Buffer& samples) const {
  std::vector<Frame::Plane> list;
  list.reserve(3);
  std::size_t at = 0;
  for (int i = 0; i < planes(); ++i) {
    const std::size_t size = plane_bytes(i);
    list.push_back({samples.slice(at, size), plane_width(i), plane_height(i),
                    static_cast<std::size_t>(plane_width(i)) * size_of(depth())});
    at += size;
  }
  return Frame(width, height, format, depth(), std::move(list), range, matrix, bits, sampling);
}

const char* name_of(PixelFormat format) { return kFormatNames[static_cast<int>(format)]; }

PixelFormat pixel_format(const std::string& name) {
  for (int i = 0; i < 5; ++i) {
    if (name == kFormatNames[i]) return static_cast<PixelFormat>(i);
  }
  throw bad_data("unknown pixel format '" + name + "'");
}

}  // namespace stream
