/// Our convolutions against plain loops, on every instruction set that this processor has.
#include <gtest/gtest.h>

#include <cmath>

#include "nn/convolution.hpp"
#include "stream/random.hpp"

namespace stream::nn {
namespace {

struct Case {
  std::int64_t in, out, size;
};
constexpr Case kCases[] = {{3, 8, 3},   {8, 24, 3},  {24, 8, 3}, {8, 48, 3}, {3, 48, 5}, {1, 1, 3},
                           {16, 16, 3}, {10, 30, 3}, {60, 7, 3}, {7, 60, 3}, {4, 130, 3}};

std::vector<float> drawn(std::int64_t count, Random& random) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& x : out) x = static_cast<float>(random.uniform(-1, 1));
  return out;
}

/// A picture with zeros around, so wide that runs may write past their end.
struct Plane {
  std::int64_t width, height, step, row;
  std::vector<float> values;
  Plane(std::int64_t w, std::int64_t h, std::int64_t channels)
      : width(w),
        height(h),
        step(Convolution::step(channels)),
        row(w * step + 160),
        values(static_cast<std::size_t>(h * row)) {}
  float* at(std::int64_t x, std::int64_t y) { return values.data() + y * row + x * step; }
};

TEST(Convolution, EqualsPlainLoopsInRunsOfAnyLength) {
  Random random(1);
  constexpr std::int64_t kWidth = 23, kHeight = 7, kEdge = 2;
  for (const Case& c : kCases) {
    const auto weight = drawn(c.out * c.in * c.size * c.size, random), bias = drawn(c.out, random);
    const Convolution convolution(weight, bias, c.out, c.in, c.size);
    Plane in(kWidth + 2 * kEdge, kHeight + 2 * kEdge, c.in);
    for (std::int64_t y = 0; y < kHeight; ++y)
      for (std::int64_t x = 0; x < kWidth; ++x)
        for (std::int64_t i = 0; i < c.in; ++i)
          in.at(x + kEdge, y + kEdge)[i] = static_cast<float>(random.uniform(-1, 1));
    for (const bool relu : {false, true})
      for (const std::int64_t most : {1, 2, 5, 8, 23}) {
        Plane out(kWidth + 2 * kEdge, kHeight + 2 * kEdge, c.out);
        for (std::int64_t y = 0; y < kHeight; ++y)
          for (std::int64_t x = 0; x < kWidth; x += most)
            convolution.run(in.at(x + kEdge, y + kEdge), in.row, out.at(x + kEdge, y + kEdge), out.step,
                            std::min(most, kWidth - x), relu, false);
        for (std::int64_t y = 0; y < kHeight; ++y)
          for (std::int64_t x = 0; x < kWidth; ++x)
            for (std::int64_t o = 0; o < c.out; ++o) {
              double sum = bias[static_cast<std::size_t>(o)];
              for (std::int64_t i = 0; i < c.in; ++i)
                for (std::int64_t dy = 0; dy < c.size; ++dy)
                  for (std::int64_t dx = 0; dx < c.size; ++dx)
                    sum += weight[static_cast<std::size_t>(((o * c.in + i) * c.size + dy) * c.size + dx)] *
                           in.at(x + kEdge + dx - c.size / 2, y + kEdge + dy - c.size / 2)[i];
              if (relu) sum = std::max(sum, 0.0);
              ASSERT_NEAR(out.at(x + kEdge, y + kEdge)[o], sum, 1e-4)
                  << c.in << "->" << c.out << " " << c.size << " at " << x << "," << y << " channel " << o
                  << ", runs of " << most;
            }
        // What lies beyond stays zero: the next layer reads it as padding.
        for (std::int64_t y = 0; y < kHeight; ++y)
          for (std::int64_t o = 0; o < c.out; ++o) ASSERT_EQ(out.at(kWidth + kEdge, y + kEdge)[o], 0.0f);
      }
  }
}

TEST(Convolution, AddsToWhatIsThere) {
  Random random(2);
  for (const Case& c : kCases) {
    const auto weight = drawn(c.out * c.in * c.size * c.size, random), bias = drawn(c.out, random);
    const Convolution convolution(weight, bias, c.out, c.in, c.size);
    Plane in(20, 5, c.in), once(20, 5, c.out), twice(20, 5, c.out);
    for (std::int64_t x = 2; x < 18; ++x)
      for (std::int64_t i = 0; i < c.in; ++i) in.at(x, 2)[i] = static_cast<float>(random.uniform(-1, 1));
    convolution.run(in.at(2, 2), in.row, once.at(2, 2), once.step, 16, false, false);
    for (int i = 0; i < 2; ++i)
      convolution.run(in.at(2, 2), in.row, twice.at(2, 2), twice.step, 16, false, true);
    for (std::int64_t x = 2; x < 18; ++x)
      for (std::int64_t o = 0; o < c.out; ++o) ASSERT_NEAR(twice.at(x, 2)[o], 2 * once.at(x, 2)[o], 1e-4);
  }
}

TEST(Convolution, EveryInstructionSetGivesNearlyTheSame) {
  Random random(3);
  const std::int64_t inner = 24, cols = 48, pixels = 13;
  const auto in = drawn(3 * (pixels * 8 + inner), random), weights = drawn(3 * inner * cols, random),
             bias = drawn(cols, random);
  const float* rows[3];
  for (int r = 0; r < 3; ++r) rows[r] = in.data() + r * (pixels * 8 + inner);
  std::vector<std::vector<float>> found;
  for (const ConvolutionKernels* kernels : all_convolution_kernels()) {
    found.emplace_back(static_cast<std::size_t>(pixels * cols));
    kernels->run(rows, 3, 8, inner, weights.data(), bias.data(), found.back().data(), cols, pixels, cols,
                 true, false);
  }
  for (const auto& other : found)
    for (std::size_t i = 0; i < other.size(); ++i) EXPECT_NEAR(other[i], found[0][i], 1e-4);
}

}  // namespace
}  // namespace stream::nn
