#include "video_world/picture.hpp"

#include <algorithm>

namespace stream::video_world {
namespace {

/// Rows of three dots from the top, the left one being 4.
struct Glyph {
  char letter;
  std::array<std::uint8_t, 5> rows;
};
constexpr Glyph kFont[] = {
    {'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}}, {'3', {7, 1, 7, 1, 7}},
    {'4', {5, 5, 7, 1, 1}}, {'5', {7, 4, 7, 1, 7}}, {'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 2, 2, 2}},
    {'8', {7, 5, 7, 5, 7}}, {'9', {7, 5, 7, 1, 7}}, {'A', {2, 5, 7, 5, 5}}, {'B', {6, 5, 6, 5, 6}},
    {'C', {3, 4, 4, 4, 3}}, {'D', {6, 5, 5, 5, 6}}, {'E', {7, 4, 6, 4, 7}}, {'F', {7, 4, 6, 4, 4}},
    {'G', {3, 4, 5, 5, 3}}, {'H', {5, 5, 7, 5, 5}}, {'I', {7, 2, 2, 2, 7}}, {'J', {1, 1, 1, 5, 2}},
    {'K', {5, 5, 6, 5, 5}}, {'L', {4, 4, 4, 4, 7}}, {'M', {5, 7, 7, 5, 5}}, {'N', {6, 5, 5, 5, 5}},
    {'O', {2, 5, 5, 5, 2}}, {'P', {6, 5, 6, 4, 4}}, {'Q', {2, 5, 5, 6, 3}}, {'R', {6, 5, 6, 5, 5}},
    {'S', {3, 4, 2, 1, 6}}, {'T', {7, 2, 2, 2, 2}}, {'U', {5, 5, 5, 5, 7}}, {'V', {5, 5, 5, 5, 2}},
    {'W', {5, 5, 7, 7, 5}}, {'X', {5, 5, 2, 5, 5}}, {'Y', {5, 5, 2, 2, 2}}, {'Z', {7, 1, 2, 4, 7}},
    {'.', {0, 0, 0, 0, 2}}, {',', {0, 0, 0, 2, 4}}, {'-', {0, 0, 7, 0, 0}}, {':', {0, 2, 0, 2, 0}}};

}  // namespace

void Picture::fill(int x, int y, int width, int height, Colour colour) {
  for (int j = std::max(0, y); j < std::min(height_, y + height); ++j)
    for (int i = std::max(0, x); i < std::min(width_, x + width); ++i) set(i, j, colour);
}

void Picture::text(int x, int y, std::string_view words, int dot, Colour colour) {
  for (const char letter : words) {
    const auto* glyph = std::find_if(std::begin(kFont), std::end(kFont),
                                     [letter](const Glyph& g) { return g.letter == letter; });
    if (glyph != std::end(kFont)) {
      for (int row = 0; row < 5; ++row)
        for (int column = 0; column < 3; ++column)
          if ((glyph->rows[static_cast<std::size_t>(row)] & (4 >> column)) != 0)
            fill(x + column * dot, y + row * dot, dot, dot, colour);
    }
    x += 4 * dot;
  }
}

Frame Picture::frame() const {
  constexpr Sampling kDrawn{1, 1, ChromaSiting::kUnspecified, FieldOrder::kProgressive};
  return FrameLayout{width_, height_, PixelFormat::kRgb, 8, ColorRange::kFull, {}, kDrawn}.frame(
      Buffer::own(std::vector<std::uint8_t>(samples_)));
}

}  // namespace stream::video_world
