#include "signals/planted.hpp"

#include <algorithm>
#include <cmath>

namespace stream::signals {

namespace {
constexpr double kPi = 3.141592653589793;
constexpr std::size_t kSide = 8, kPixels = kSide * kSide;

/// A picture of 64 x 64 in [0, 1]: one of four kinds.
std::vector<double> scene(Random& random) {
  constexpr int kWidth = 64;
  std::vector<double> picture(kWidth * kWidth);
  const double angle = random.uniform(0, 2 * kPi), u = std::cos(angle), v = std::sin(angle);
  const double low = random.uniform(0, 0.5), high = random.uniform(0.5, 1), at = random.uniform(-20, 20);
  const auto pixel = [&](int y, int x) -> double& {
    return picture[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)];
  };
  const auto fill = [&](auto value) {
    for (int i = 0; i < kWidth; ++i)
      for (int j = 0; j < kWidth; ++j) pixel(i, j) = value(i - 32.0, j - 32.0);
  };
  switch (random.below(4)) {
    case 0:  // an edge, a pixel wide
      fill([&](double y, double x) {
        return low + (high - low) * std::clamp(u * x + v * y - at + 0.5, 0.0, 1.0);
      });
      break;
    case 1: {  // a grating
      const double pitch = random.uniform(4, 16);
      fill([&](double y, double x) {
        return 0.5 + 0.5 * high * std::sin(2 * kPi * (u * x + v * y + at) / pitch);
      });
      break;
    }
    case 2:  // a gradient with a disc
      fill([&](double y, double x) {
        const double r = std::hypot(x - at, y + at);
        return std::clamp(low + 0.005 * (u * x + v * y) + 0.4 * std::clamp(12.5 - r, 0.0, 1.0), 0.0, 1.0);
      });
      break;
    default: {  // strokes, as of glyphs: horizontal and vertical bars
      fill([&](double, double) { return high; });
      for (int stroke = 0; stroke < 40; ++stroke) {
        const bool flat = random.below(2) == 0;
        const auto y = static_cast<int>(random.below(58)), x = static_cast<int>(random.below(58));
        const int length = 4 + static_cast<int>(random.below(8));
        for (int i = 0; i < (flat ? 2 : length); ++i)
          for (int j = 0; j < (flat ? length : 2); ++j)
            if (y + i < kWidth && x + j < kWidth) pixel(y + i, x + j) = low;
      }
    }
  }
  return picture;
}

}  // namespace

void Planted::draw(Random& random, std::span<double> y) const {
  std::fill(y.begin(), y.end(), 0.0);
  for (std::size_t j = 0; j < size(); ++j) {
    if (random.uniform() >= density_) continue;
    const double x = random.normal();
    for (std::size_t i = 0; i < size(); ++i) y[i] += basis_(i, j) * x;
  }
  if (noise_ > 0)
    for (double& value : y) value += noise_ * random.normal();
}

Matrix sensor_vectors(std::size_t count, Random& random) {
  constexpr std::size_t kSensors = 16;
  const Planted events(kSensors, 0.2, 0.02, random);
  Matrix vectors(count, kSensors);
  std::vector<double> drift(kSensors);
  for (std::size_t t = 0; t < count; ++t) {
    events.draw(random, {vectors.row(t), kSensors});
    for (std::size_t i = 0; i < kSensors; ++i) {
      drift[i] = 0.999 * drift[i] + 0.004 * random.normal();
      vectors(t, i) += drift[i];
      if (random.uniform() < 0.01) vectors(t, i) += 3 * random.normal();
    }
  }
  return vectors;
}

Matrix dct_basis(std::size_t n) {
  Matrix basis(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      basis(i, k) =
          std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(n)) *
          std::cos(kPi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) / static_cast<double>(n));
  return basis;
}

Matrix dct_patch_basis() {
  const Matrix line = dct_basis(kSide);
  Matrix basis(kPixels, kPixels - 1);
  for (std::size_t k = 1; k < kPixels; ++k)
    for (std::size_t i = 0; i < kPixels; ++i)
      basis(i, k - 1) = line(i / kSide, k / kSide) * line(i % kSide, k % kSide);
  return basis;
}

Matrix patch_vectors(std::size_t count, Random& random) {
  // A fixed rotation of the DCT's plane: no coordinate is an atom of the DCT.
  Random fixed(63);
  const Matrix rotation = Matrix::random_orthogonal(kPixels - 1, fixed), dct = dct_patch_basis();
  Matrix basis(kPixels, kPixels - 1);
  multiply(dct, rotation, basis);
  Matrix vectors(count, kPixels - 1), patch(1, kPixels), made(1, kPixels - 1);
  std::vector<double> picture;
  for (std::size_t t = 0; t < count;) {
    if (t % 16 == 0 || picture.empty()) picture = scene(random);
    const std::size_t y = random.below(57), x = random.below(57);
    for (std::size_t i = 0; i < kPixels; ++i) patch(0, i) = picture[(y + i / kSide) * 64 + x + i % kSide];
    multiply(patch, basis, made);
    // Flat patches teach nothing.
    if (frobenius_norm(made) < 1e-3) {
      picture.clear();
      continue;
    }
    std::copy_n(made.row(0), kPixels - 1, vectors.row(t++));
  }
  return vectors;
}

}  // namespace stream::signals
