#include "super_resolution/resample.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

/// Which inputs an output is made of, and how much of each.
struct Taps {
  std::vector<int> from;
  std::vector<double> weights;
};

/// Output i lies at (i + 0.5) / ratio - 0.5; `ratio` is the new length over the old one.
std::vector<Taps> taps_of(int length, int out_length, double ratio) {
  const double widening = std::min(1.0, ratio), reach = 2.0 / widening;
  std::vector<Taps> all(static_cast<std::size_t>(out_length));
  for (int i = 0; i < out_length; ++i) {
    Taps& taps = all[static_cast<std::size_t>(i)];
    const double centre = (i + 0.5) / ratio - 0.5;
    double sum = 0;
    for (int at = static_cast<int>(std::floor(centre - reach));
         at <= static_cast<int>(std::ceil(centre + reach)); ++at) {
      const double weight = widening * cubic((centre - at) * widening);
      if (weight == 0) continue;
      // Mirrored with the edge twice: ... 1 0 | 0 1 2 ...
      const int period = 2 * length, folded = ((at % period) + period) % period;
      taps.from.push_back(folded < length ? folded : period - 1 - folded);
      taps.weights.push_back(weight);
      sum += weight;
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return all;
}

Pixels resize(const Pixels& from, int width, int height, double ratio) {
  const auto across = taps_of(from.width, width, ratio), down = taps_of(from.height, height, ratio);
  Pixels out{
      width, height,
      std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  // Rows first where that leaves less to do, as imresize.
  std::vector<double> middle(static_cast<std::size_t>(from.width) * static_cast<std::size_t>(height));
  for (std::size_t c = 0; c < 3; ++c) {
    const std::uint8_t* const in = from.samples.data() + c * from.plane();
    for (int y = 0; y < height; ++y) {
      const Taps& taps = down[static_cast<std::size_t>(y)];
      double* const row = middle.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(from.width);
      std::fill_n(row, from.width, 0.0);
      for (std::size_t k = 0; k < taps.from.size(); ++k) {
        const std::uint8_t* const source =
            in + static_cast<std::size_t>(taps.from[k]) * static_cast<std::size_t>(from.width);
        for (int x = 0; x < from.width; ++x) row[x] += taps.weights[k] * source[x];
      }
    }
    std::uint8_t* to = out.samples.data() + c * out.plane();
    for (int y = 0; y < height; ++y) {
      const double* const row =
          middle.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(from.width);
      for (int x = 0; x < width; ++x) {
        const Taps& taps = across[static_cast<std::size_t>(x)];
        double sum = 0;
        for (std::size_t k = 0; k < taps.from.size(); ++k) sum += taps.weights[k] * row[taps.from[k]];
        *to++ = static_cast<std::uint8_t>(std::clamp(std::floor(sum + 0.5), 0.0, 255.0));
      }
    }
  }
  return out;
}

}  // namespace

double cubic(double x) {
  x = std::abs(x);
  if (x <= 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
  if (x <= 2) return -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
  return 0;
}

Pixels pixels_of(const Frame& frame) {
  if (frame.format() != PixelFormat::kRgb || frame.depth() != DType::kU8)
    throw bad_data("frames of " + FrameLayout::of(frame).text() +
                   ": expected RGB of 8 bits; put a video.convert with format = \"rgb\" before it");
  Pixels out{frame.width(), frame.height(), {}};
  out.samples.resize(3 * out.plane());
  std::uint8_t* to = out.samples.data();
  for (const Frame::Plane& plane : frame.planes())
    for (int y = 0; y < out.height; ++y, to += out.width)
      std::copy_n(reinterpret_cast<const std::uint8_t*>(plane.data.data()) +
                      static_cast<std::size_t>(y) * plane.stride,
                  out.width, to);
  return out;
}

Frame frame_of(const Pixels& pixels, const Sampling& sampling) {
  return FrameLayout{pixels.width, pixels.height, PixelFormat::kRgb, 8, ColorRange::kFull, {}, sampling}
      .frame(Buffer::own(std::vector<std::uint8_t>(pixels.samples)));
}

Pixels shrink(const Pixels& from, int scale) {
  if (from.width % scale != 0 || from.height % scale != 0)
    throw bad_data("pictures of " + std::to_string(from.width) + "x" + std::to_string(from.height) +
                   ": expected sides that are multiples of " + std::to_string(scale));
  return resize(from, from.width / scale, from.height / scale, 1.0 / scale);
}

Pixels enlarge(const Pixels& from, int scale) {
  return resize(from, from.width * scale, from.height * scale, scale);
}

double squared_error(const Pixels& a, const Pixels& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const int d = int{a.samples[i]} - b.samples[i];
    sum += d * d;
  }
  return static_cast<double>(sum);
}

double psnr_of(double squared_error, double samples) {
  return squared_error <= 0 ? 100.0 : 10 * std::log10(255.0 * 255.0 * samples / squared_error);
}

}  // namespace stream::super_resolution
