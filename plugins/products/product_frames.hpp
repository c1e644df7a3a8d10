/// From pictures of any size and format to what COPE's network looks at.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libav.hpp"
#include "products/product_set.hpp"
#include "stream/archive.hpp"

namespace stream::products {

/// Shrinks (or enlarges) whole pictures to size x size, RGB of 8 bits, each pixel the mean of what it covers.
/// Their proportions are not kept: nothing is cut off.
class FrameShrinker {
 public:
  explicit FrameShrinker(int size) : size_(size) {}
  /// 3 size^2 bytes, planes R, G, B. Throws Error(kBadData) for what libswscale cannot convert.
  std::vector<std::uint8_t> operator()(const std::shared_ptr<const Frame>& frame);

 private:
  int size_;
  std::optional<libav::Conversion> conversion_;
};

/// At most kMost frames that are spread evenly over all that were added, in constant memory: when there are
/// more, every other one goes and from then on only every other one is kept.
class FrameKeeper {
 public:
  static constexpr std::size_t kMost = 64;
  explicit FrameKeeper(int size) : size_(size) {}
  /// 3 size^2 bytes.
  void add(std::span<const std::uint8_t> frame);
  /// The next frame would be kept: others need not be shrunk.
  bool wants() const { return added_ % stride_ == 0; }
  void pass() { ++added_; }
  std::size_t kept() const { return frames_.size() / bytes(); }
  std::int64_t added() const { return added_; }
  const std::vector<std::uint8_t>& frames() const { return frames_; }
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  std::size_t bytes() const { return 3 * static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_); }
  int size_;
  std::int64_t added_ = 0, stride_ = 1;
  std::vector<std::uint8_t> frames_;
};

/// The one picture in a file, of any format that FFmpeg reads, or the frames of a video, thinned by
/// FrameKeeper. Throws Error(kNoInput) when it is not there and Error(kBadData) when it cannot be read; both
/// name the file. `changes`, when given, counts frames of another size than the one before.
Clip read_picture(const std::string& path, int size);
Clip read_video(const std::string& path, int size, std::int64_t* changes = nullptr);

}  // namespace stream::products
