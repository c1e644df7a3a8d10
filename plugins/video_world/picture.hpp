/// A picture to paint on: RGB, 8 bits, in three planes, as frames carry it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "stream/frame_layout.hpp"

namespace stream::video_world {

using Colour = std::array<std::uint8_t, 3>;

class Picture {
 public:
  Picture(int width, int height)
      : width_(width),
        height_(height),
        samples_(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}
  int width() const { return width_; }
  int height() const { return height_; }
  /// Precondition: inside.
  void set(int x, int y, Colour colour) {
    for (std::size_t c = 0; c < 3; ++c) at(c, x, y) = colour[c];
  }
  Colour get(int x, int y) const {
    const std::size_t i = index(x, y), plane = samples_.size() / 3;
    return {samples_[i], samples_[plane + i], samples_[2 * plane + i]};
  }
  std::uint8_t& at(std::size_t channel, int x, int y) {
    return samples_[channel * (samples_.size() / 3) + index(x, y)];
  }
  bool inside(int x, int y) const { return x >= 0 && y >= 0 && x < width_ && y < height_; }
  void fill(int x, int y, int width, int height, Colour colour);
  /// In capitals, digits and a few signs, 3x5 dots of `dot` pixels each; what does not fit is cut off.
  void text(int x, int y, std::string_view words, int dot, Colour colour);
  Frame frame() const;
  const std::vector<std::uint8_t>& samples() const { return samples_; }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }
  int width_, height_;
  std::vector<std::uint8_t> samples_;
};

}  // namespace stream::video_world
