/// Pictures to patches and back.
#include "signals/signals_image.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "stream/testing.hpp"

namespace stream::signals {
namespace {

/// 5 x 3 samples, y * 16 + x, of 8 or 10 bits.
Packet picture(int bits = 8, PixelFormat format = PixelFormat::kGray) {
  const int planes = format == PixelFormat::kGray ? 1 : 3;
  std::vector<Frame::Plane> out;
  for (int i = 0; i < planes; ++i) {
    std::vector<std::uint8_t> narrow;
    std::vector<std::uint16_t> wide;
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 5; ++x)
        narrow.push_back(static_cast<std::uint8_t>(16 * y + x)),
            wide.push_back(static_cast<std::uint16_t>(16 * y + x));
    if (bits == 8)
      out.push_back({Buffer::own(std::move(narrow)), 5, 3, 5});
    else
      out.push_back({Buffer::own(std::move(wide)), 5, 3, 10});
  }
  return Packet::of<Frame>(Time{7}, 5, 3, format, bits == 8 ? DType::kU8 : DType::kU16, std::move(out),
                           ColorRange::kFull, "", bits);
}

TEST(FramePatches, AreRowsOfSquaresWithRepeatedEdges) {
  const auto op = testing::make<FramePatches>({{"size", 2}, {"mean", "kept"}});
  const auto patches = testing::run(*op, {picture()}, 1).packets[0];
  ASSERT_EQ(patches.size(), 6u);
  const auto values = [&](std::size_t i) {
    std::vector<double> out;
    for (const double v : patches[i].as<Tensor>().values<double>()) out.push_back(std::round(v * 255));
    return out;
  };
  EXPECT_EQ(values(0), (std::vector<double>{0, 1, 16, 17}));
  EXPECT_EQ(values(2), (std::vector<double>{4, 4, 20, 20})) << "the right edge is repeated";
  EXPECT_EQ(values(5), (std::vector<double>{36, 36, 36, 36})) << "and so is the lower one";
  EXPECT_EQ(patches[5].time, Time{7});
}

TEST(FramePatches, WithoutTheMeanTheBasisIsOrthonormal) {
  const std::vector<double> patch{0.1, 0.7, 0.3, 0.9, 0.2};
  const auto apart = without_mean(patch);
  ASSERT_EQ(apart.size(), 4u);
  const double mean = mean_of(patch);
  double energy = 0, kept = 0;
  for (const double v : patch) energy += (v - mean) * (v - mean);
  for (const double c : apart) kept += c * c;
  EXPECT_NEAR(kept, energy, 1e-12);
  EXPECT_THAT(with_mean(apart, mean), ::testing::Pointwise(::testing::DoubleNear(1e-12), patch));
  EXPECT_THAT(without_mean(std::vector<double>(9, 0.4)), ::testing::Each(::testing::DoubleNear(0, 1e-12)));
}

TEST(PatchesFrame, GivesThePictureBack) {
  for (const int bits : {8, 10}) {
    for (const char* mean : {"apart", "kept"}) {
      const Packet in = picture(bits, PixelFormat::kYuv444);
      const auto cut = testing::make<FramePatches>({{"size", 2}, {"mean", mean}});
      const auto join = testing::make<PatchesFrame>({{"size", 2}, {"mean", mean}});
      testing::Collector out(1);
      join->process(0, in, out);
      const testing::Collector patches = testing::run(*cut, {in}, 1);
      for (const Packet& patch : patches.packets[0]) join->process(1, patch, out);
      ASSERT_EQ(out.packets[0].size(), 1u);
      EXPECT_EQ(testing::bytes_of(*out.packets[0][0].payload), testing::bytes_of(*in.payload));
      EXPECT_EQ(out.packets[0][0].time, in.time);
    }
  }
}

TEST(PatchesFrame, WhatIsWrongIsNamed) {
  const auto join = testing::make<PatchesFrame>({{"size", 2}, {"mean", "kept"}});
  testing::Collector out(1);
  const Packet patch = Packet::of<Tensor>(Time{7}, Tensor::of(std::vector<double>(4), {4}));
  EXPECT_THROW(join->process(1, patch, out), Error) << "no picture yet";
  join->process(0, picture(), out);
  EXPECT_THROW(join->process(0, picture(), out), Error) << "patches are missing";
  EXPECT_THROW(join->process(1, Packet::of<Tensor>(Time{8}, Tensor::of(std::vector<double>(4), {4})), out),
               Error);
  EXPECT_THROW(join->process(1, Packet::of<Tensor>(Time{7}, Tensor::of(std::vector<double>(3), {3})), out),
               Error);
  const auto cut = testing::make<FramePatches>({{"size", 2}});
  EXPECT_THROW(testing::run(*cut, {picture(8, PixelFormat::kRgb)}, 1), Error) << "no luma";
}

}  // namespace
}  // namespace stream::signals
