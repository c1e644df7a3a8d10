#include "frame_quality.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "stream/error.hpp"

namespace stream {
namespace {

template <typename Sample>
const Sample* row_of(const Frame::Plane& plane, int y) {
  return reinterpret_cast<const Sample*>(plane.data.data() + static_cast<std::size_t>(y) * plane.stride);
}

template <typename Sample>
double mean_squared_error(const Frame::Plane& a, const Frame::Plane& b) {
  std::uint64_t sum = 0;
  for (int y = 0; y < a.height; ++y) {
    const Sample *p = row_of<Sample>(a, y), *q = row_of<Sample>(b, y);
    std::uint64_t row = 0;
    for (int x = 0; x < a.width; ++x) {
      const std::int64_t d = std::int64_t{p[x]} - q[x];
      row += static_cast<std::uint64_t>(d * d);
    }
    sum += row;
  }
  return static_cast<double>(sum) / (static_cast<double>(a.width) * a.height);
}

/// Of a block of 4x4: sums of a, of b, of both squared, of the products.
struct Sums {
  std::int64_t a = 0, b = 0, squares = 0, products = 0;
  friend Sums operator+(const Sums& l, const Sums& r) {
    return {l.a + r.a, l.b + r.b, l.squares + r.squares, l.products + r.products};
  }
};

template <typename Sample>
void sums_of_row(const Frame::Plane& a, const Frame::Plane& b, int block_row, std::vector<Sums>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Sums s;
    for (int y = 0; y < 4; ++y) {
      const Sample* p = row_of<Sample>(a, 4 * block_row + y) + 4 * i;
      const Sample* q = row_of<Sample>(b, 4 * block_row + y) + 4 * i;
      for (int x = 0; x < 4; ++x) {
        const std::int64_t u = p[x], v = q[x];
        s.a += u, s.b += v, s.squares += u * u + v * v, s.products += u * v;
      }
    }
    out[i] = s;
  }
}

/// Of a block of 8x8: 64 times the means and variances, so that all but the last step are integers.
double similarity(const Sums& s, double peak) {
  const double c1 = std::floor(0.01 * 0.01 * peak * peak * 64 + 0.5);
  const double c2 = std::floor(0.03 * 0.03 * peak * peak * 64 * 63 + 0.5);
  const auto a = static_cast<double>(s.a), b = static_cast<double>(s.b);
  const double variances = static_cast<double>(s.squares) * 64 - a * a - b * b;
  const double covariance = static_cast<double>(s.products) * 64 - a * b;
  return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2));
}

template <typename Sample>
double structural_similarity(const Frame::Plane& a, const Frame::Plane& b, double peak) {
  const int columns = a.width / 4, rows = a.height / 4;
  // Too small for one block: there is no structure to compare.
  if (columns < 2 || rows < 2) return mean_squared_error<Sample>(a, b) == 0 ? 1 : 0;
  std::vector<Sums> above(static_cast<std::size_t>(columns)), here(above.size());
  sums_of_row<Sample>(a, b, 0, above);
  double sum = 0;
  for (int r = 1; r < rows; ++r) {
    sums_of_row<Sample>(a, b, r, here);
    for (std::size_t i = 0; i + 1 < here.size(); ++i)
      sum += similarity(above[i] + above[i + 1] + here[i] + here[i + 1], peak);
    above.swap(here);
  }
  return sum / (static_cast<double>(columns - 1) * (rows - 1));
}

}  // namespace

FrameQuality compare(const Frame& a, const Frame& b) {
  const FrameLayout layout = FrameLayout::of(a), other = FrameLayout::of(b);
  if (layout.width != other.width || layout.height != other.height || layout.format != other.format ||
      layout.bits != other.bits)
    throw bad_data("pictures of " + layout.text() + " and " + other.text() + " cannot be compared");
  const double peak = (1 << layout.bits) - 1;
  FrameQuality q;
  const std::size_t samples = layout.bytes() / size_of(layout.depth());
  const auto whole = static_cast<double>(samples);
  for (int i = 0; i < layout.planes(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Frame::Plane &p = a.planes()[at], &r = b.planes()[at];
    const bool bytes = layout.depth() == DType::kU8;
    q.mse[at] = bytes ? mean_squared_error<std::uint8_t>(p, r) : mean_squared_error<std::uint16_t>(p, r);
    q.ssim[at] = bytes ? structural_similarity<std::uint8_t>(p, r, peak)
                       : structural_similarity<std::uint16_t>(p, r, peak);
    const double share = static_cast<double>(p.width) * p.height / whole;
    q.mse_all += share * q.mse[at];
    q.ssim_all += share * q.ssim[at];
  }
  return q;
}

double psnr(double mse, int bits) {
  if (mse <= 0) return std::numeric_limits<double>::infinity();
  const double peak = (1 << bits) - 1;
  return 10 * std::log10(peak * peak / mse);
}

}  // namespace stream
