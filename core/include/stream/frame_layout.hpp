/// What the planes of a Frame look like, and memory for them that is used again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stream/payload.hpp"

namespace stream {

/// Memory for frames of one size. A block goes back when the last packet that shares it is gone, so a stream
/// in steady state allocates nothing but bookkeeping. Thread-safe; copies share the blocks.
class FramePool {
 public:
  FramePool();
  /// `size` bytes, not initialised, aligned to 64. Blocks of another size that lie idle are freed.
  std::shared_ptr<std::byte> take(std::size_t size);

 private:
  struct Idle;
  std::shared_ptr<Idle> idle_;
};

/// Size and kind of a picture: all but the samples.
struct FrameLayout {
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::kYuv420;
  int bits = 8;  ///< of a sample: 8 is stored as uint8, 9 to 16 as uint16
  ColorRange range = ColorRange::kUnspecified;
  std::string matrix{};
  Sampling sampling{};

  /// The layout of a frame of integer samples. Throws Error(kBadData) for float samples.
  static FrameLayout of(const Frame& frame);
  friend bool operator==(const FrameLayout&, const FrameLayout&) = default;
  /// Equal in all but the sampling, which may change within a stream.
  bool same_format(const FrameLayout& other) const;

  /// Widest and tallest picture that is read: sizes beyond it are taken for damage.
  static constexpr int kMostSide = 32768;
  /// Throws Error(kBadData) unless both sides are from 1 to kMostSide and bits from 8 to 16.
  void check() const;

  DType depth() const { return bits > 8 ? DType::kU16 : DType::kU8; }
  int planes() const { return format == PixelFormat::kGray ? 1 : 3; }
  int plane_width(int plane) const;   ///< samples; chroma of odd sizes rounds up
  int plane_height(int plane) const;  ///< samples
  std::size_t plane_bytes(int plane) const;
  std::size_t bytes() const;  ///< of all planes, one after the other, rows without gaps
  /// "320x180 yuv420p", "1920x1080 yuv422p10 full bt709"
  std::string text() const;

  /// A frame whose planes lie one after the other in `samples`, which has bytes() bytes.
  Frame frame(const Buffer& samples) const;
};

/// "gray", "yuv420p", "yuv422p", "yuv444p" or "rgb".
const char* name_of(PixelFormat format);
/// The inverse; throws Error(kBadData) for another name.
PixelFormat pixel_format(const std::string& name);

}  // namespace stream
