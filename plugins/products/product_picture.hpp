/// A picture of made-up products.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "products/made_products.hpp"

namespace stream::products {

class ProductPicture {
 public:
  /// size x size pixels, black.
  explicit ProductPicture(int size);
  /// `clip` is what all frames of a clip share; `one` what a frame has of its own. `frame` counts from 0.
  void page(const MadeProduct& product, Random& clip);
  void video(const MadeProduct& product, Random& clip, Random& one, int frame);
  void live(const MadeProduct& product, Random& clip, Random& one, int frame,
            const std::array<const MadeProduct*, 2>& others);
  /// Planes R, G, B of 8 bits: 3 size^2 bytes.
  void store(std::span<std::uint8_t> into) const;

 private:
  using Colour = std::array<float, 3>;  ///< 0 to 255
  static Colour any_colour(Random& random);
  void fill(Colour colour);
  void rectangle(double x, double y, double width, double height, Colour colour);
  void ellipse(double x, double y, double a, double b, double angle, Colour colour);
  /// Centre and radius in pixels, angle in radians.
  void draw(const MadeProduct& product, double x, double y, double radius, double angle);
  void clutter(Random& random, int pieces);
  void brighten(double gain, double offset);
  void noise(Random& random, double amplitude);
  /// Rounds the coefficients of every 8x8 block (DCT) as JPEG does: coarser for higher frequencies.
  void compress(double step);
  float& at(int channel, int x, int y) {
    return samples_[(static_cast<std::size_t>(channel) * static_cast<std::size_t>(size_) +
                     static_cast<std::size_t>(y)) *
                        static_cast<std::size_t>(size_) +
                    static_cast<std::size_t>(x)];
  }
  int size_;
  std::vector<float> samples_;
};

}  // namespace stream::products
