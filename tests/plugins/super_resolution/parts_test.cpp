/// Resampling, networks, patches, maps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "nn/device.hpp"
#include "plugins/super_resolution/small.hpp"
#include "stream/error.hpp"
#include "stream/half.hpp"
#include "super_resolution/label_map.hpp"
#include "super_resolution/png_bytes.hpp"
#include "super_resolution/upscaler.hpp"

namespace stream::super_resolution {
namespace {

using namespace testing;

Pixels noise(int width, int height, std::uint64_t seed) {
  Random random(seed);
  Pixels p{width, height, {}};
  p.samples.resize(3 * p.plane());
  for (auto& s : p.samples) s = static_cast<std::uint8_t>(random());
  return p;
}

/// The formula itself: every output as a double sum over all inputs of the mirrored picture.
double direct(const Pixels& from, double ratio, int x, int y, std::size_t channel) {
  const double k = std::min(1.0, ratio);
  const auto mirrored = [](int at, int length) {
    while (at < 0 || at >= length) at = at < 0 ? -1 - at : 2 * length - 1 - at;
    return at;
  };
  const double cx = (x + 0.5) / ratio - 0.5, cy = (y + 0.5) / ratio - 0.5;
  const int reach = static_cast<int>(std::ceil(2 / k)) + 1;
  double sum = 0, weights = 0;
  for (int v = static_cast<int>(std::floor(cy)) - reach; v <= std::floor(cy) + reach; ++v)
    for (int u = static_cast<int>(std::floor(cx)) - reach; u <= std::floor(cx) + reach; ++u) {
      const double w = cubic((cx - u) * k) * cubic((cy - v) * k);
      weights += w;
      sum += w * from.samples[channel * from.plane() +
                              static_cast<std::size_t>(mirrored(v, from.height) * from.width +
                                                       mirrored(u, from.width))];
    }
  return sum / weights;
}

TEST(Resample, IsTheFormula) {
  const Pixels from = noise(24, 16, 1);
  for (const int scale : {2, 4}) {
    const Pixels small = shrink(from, scale), large = enlarge(from, scale);
    for (std::size_t c = 0; c < 3; ++c) {
      for (int y = 0; y < small.height; ++y)
        for (int x = 0; x < small.width; ++x)
          EXPECT_NEAR(small.samples[c * small.plane() + static_cast<std::size_t>(y * small.width + x)],
                      std::clamp(direct(from, 1.0 / scale, x, y, c), 0.0, 255.0), 0.5001);
      for (int y = 0; y < large.height; y += 3)
        for (int x = 0; x < large.width; x += 3)
          EXPECT_NEAR(large.samples[c * large.plane() + static_cast<std::size_t>(y * large.width + x)],
                      std::clamp(direct(from, scale, x, y, c), 0.0, 255.0), 0.5001);
    }
  }
  EXPECT_THROW(shrink(from, 3), Error);
}

/// As MATLAB R2021a's imresize(..., 1/2) and Octave's give it for a row 0 16 32 ... 112 (uint8), antialiased.
TEST(Resample, ARampStaysOneInItsMiddle) {
  Pixels ramp{16, 4, {}};
  ramp.samples.resize(3 * ramp.plane());
  for (std::size_t i = 0; i < ramp.samples.size(); ++i)
    ramp.samples[i] = static_cast<std::uint8_t>(16 * (i % 16));
  const Pixels small = shrink(ramp, 2);
  for (int x = 2; x < 6; ++x) EXPECT_EQ(small.samples[static_cast<std::size_t>(x)], 32 * x + 8);
}

TEST(Half, RoundsToNearestEven) {
  Random random(4);
  for (int i = 0; i < 20000; ++i) {
    const auto x = static_cast<float>(random.normal() * std::pow(10.0, random.uniform(-9, 4)));
    const auto expected = at::Half(x);
    EXPECT_EQ(half_of_float(x), expected.x) << x;
    EXPECT_EQ(float_of_half(expected.x), static_cast<float>(expected));
  }
}

TEST(Wdsr, ShapesCountAsTheCardSays) {
  const WdsrShape paper{.scale = 4, .features = 32, .blocks = 16, .expansion = 4};
  EXPECT_EQ(paper.layers(), 35);
  EXPECT_EQ(paper.reach(), 34);
  const Wdsr network(kSmall, nn::generator(1));
  std::int64_t folded = 0;
  for (const auto& item : network.named_parameters())
    if (item.key().find("weight_g") == std::string::npos) folded += item.value().numel();
  EXPECT_EQ(folded, kSmall.parameters());
  EXPECT_EQ(static_cast<std::int64_t>(network.folded().values.size()), kSmall.parameters());
}

/// What libtorch makes of one patch, rounded to 8 bits.
Pixels by_libtorch(const Wdsr& network, const Pixels& lr) {
  const torch::NoGradGuard no_grad;
  const at::Tensor x =
      torch::from_blob(const_cast<std::uint8_t*>(lr.samples.data()), {1, 3, lr.height, lr.width}, at::kByte)
          .to(at::kFloat) /
      255.0;
  const at::Tensor y = (network.forward(x) * 255 + 0.5).floor().clamp(0, 255).to(at::kByte).contiguous();
  const int s = network.shape().scale;
  Pixels out{lr.width * s, lr.height * s, {}};
  out.samples.assign(y.data_ptr<std::uint8_t>(), y.data_ptr<std::uint8_t>() + y.numel());
  return out;
}

/// Equal but where rounding to 8 bits is on the edge.
void expect_nearly(const Pixels& a, const Pixels& b) {
  ASSERT_EQ(a.samples.size(), b.samples.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    EXPECT_NEAR(a.samples[i], b.samples[i], 1);
    differing += a.samples[i] != b.samples[i] ? 1 : 0;
  }
  EXPECT_LE(differing, a.samples.size() / 500);
}

TEST(Upscaler, APatchWithoutHaloIsWhatLibtorchMakesOfIt) {
  for (const WdsrShape shape : {kSmall, WdsrShape{.scale = 2, .features = 10, .blocks = 3, .expansion = 3},
                                WdsrShape{.scale = 3, .features = 32, .blocks = 2, .expansion = 4}}) {
    const auto network = small_network(3, shape);
    const Pixels lr = noise(12, 10, 5);
    Upscaler upscaler({12, 10, 1, 1}, shape.scale, Halo::kNone, 1);
    upscaler.set_models({std::make_shared<const Network>(network->folded())});
    expect_nearly(upscaler.run(lr, Labels(1, 0)), by_libtorch(*network, lr));
    EXPECT_EQ(upscaler.multiply_adds(), 120 * shape.multiply_adds());
  }
}

TEST(Upscaler, WithItsHaloAPatchIsPartOfTheWholeFrame) {
  const auto network = small_network(3);
  const Pixels lr = noise(20, 14, 6);
  const int reach = kSmall.reach() + 1, s = kSmall.scale;
  // The whole frame by libtorch, its border repeated as far as anything reaches.
  Pixels padded{lr.width + 2 * reach, lr.height + 2 * reach, {}};
  padded.samples.resize(3 * padded.plane());
  for (std::size_t c = 0; c < 3; ++c)
    for (int y = 0; y < padded.height; ++y)
      for (int x = 0; x < padded.width; ++x)
        padded.samples[c * padded.plane() + static_cast<std::size_t>(y * padded.width + x)] =
            lr.samples[c * lr.plane() +
                       static_cast<std::size_t>(std::clamp(y - reach, 0, lr.height - 1) * lr.width +
                                                std::clamp(x - reach, 0, lr.width - 1))];
  const Pixels whole = by_libtorch(*network, padded);
  Pixels expected{lr.width * s, lr.height * s, {}};
  expected.samples.resize(3 * expected.plane());
  for (std::size_t c = 0; c < 3; ++c)
    for (int y = 0; y < expected.height; ++y)
      for (int x = 0; x < expected.width; ++x)
        expected.samples[c * expected.plane() + static_cast<std::size_t>(y * expected.width + x)] =
            whole.samples[c * whole.plane() +
                          static_cast<std::size_t>((y + reach * s) * whole.width + x + reach * s)];
  for (const PatchGrid grid : {PatchGrid{20, 14, 1, 1}, PatchGrid{20, 14, 5, 2}, PatchGrid{20, 14, 3, 4}}) {
    Upscaler upscaler(grid, s, Halo::kFull, 2);
    upscaler.set_models({std::make_shared<const Network>(network->folded())});
    expect_nearly(upscaler.run(lr, Labels(static_cast<std::size_t>(grid.patches()), 0)), expected);
  }
}

TEST(Upscaler, LabelsWorkersAndRaggedGridsDoNotMixPatches) {
  const Pixels lr = noise(23, 17, 7);
  const PatchGrid grid{23, 17, 3, 2};
  std::vector<std::shared_ptr<const Network>> models;
  for (std::uint64_t m = 1; m <= 3; ++m)
    models.push_back(std::make_shared<const Network>(small_network(m)->folded()));
  Labels labels(6);
  for (std::size_t i = 0; i < 6; ++i) labels[i] = static_cast<std::uint8_t>(i * 5 % 3);
  for (const Halo halo : {Halo::kNone, Halo::kFull}) {
    Upscaler one(grid, 4, halo, 1), many(grid, 4, halo, 4);
    one.set_models(models);
    many.set_models(models);
    const Pixels all = one.run(lr, labels);
    EXPECT_EQ(many.run(lr, labels).samples, all.samples);
    EXPECT_EQ(many.run(lr, labels).samples, all.samples);  // canvases that were used before
    // Each patch as if its model served the whole frame.
    for (std::uint8_t m = 0; m < 3; ++m) {
      const Pixels alone = one.run(lr, Labels(6, m));
      for (int p = 0; p < 6; ++p) {
        if (labels[static_cast<std::size_t>(p)] != m) continue;
        const auto box = grid.box(p);
        for (int y = box.y * 4; y < (box.y + box.height) * 4; ++y)
          for (int x = box.x * 4; x < (box.x + box.width) * 4; ++x)
            ASSERT_EQ(all.samples[static_cast<std::size_t>(y * all.width + x)],
                      alone.samples[static_cast<std::size_t>(y * alone.width + x)]);
      }
    }
  }
  Upscaler other(grid, 2, Halo::kNone, 1);
  EXPECT_THROW(other.set_models(models), Error);
}

TEST(Weights, AreReadAsTheyWereStored) {
  const Weights weights = small_network(2)->folded();
  EXPECT_EQ(Weights::read(kSmall, Precision::kFloat32, weights.bytes(Precision::kFloat32)).values,
            weights.values);
  for (const Precision precision : {Precision::kFloat16, Precision::kInt8}) {
    const std::string bytes = weights.bytes(precision);
    EXPECT_EQ(bytes.size(), Weights::size(kSmall, precision));
    const Weights back = Weights::read(kSmall, precision, bytes);
    double most = 0, largest = 0;
    for (std::size_t i = 0; i < back.values.size(); ++i) {
      most = std::max<double>(most, std::abs(back.values[i] - weights.values[i]));
      largest = std::max<double>(largest, std::abs(weights.values[i]));
    }
    EXPECT_LE(most, largest * (precision == Precision::kInt8 ? 1.0 / 200 : 1.0 / 2000));
    EXPECT_EQ(back.bytes(Precision::kFloat16),
              Weights::read(kSmall, Precision::kFloat16, back.bytes(Precision::kFloat16))
                  .bytes(Precision::kFloat16));
    EXPECT_THROW(Weights::read(kSmall, precision, bytes.substr(1)), Error);
  }
}

TEST(LabelMap, RoundTripsAndCostsLittleWhereLittleChanges) {
  Random random(9);
  for (const int models : {1, 2, 3, 4, 7, 255}) {
    std::vector<Labels> frames;
    Labels now(60);
    for (auto& l : now) l = static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(models)));
    for (int f = 0; f < 90; ++f) {
      if (f % 10 == 0)
        now[random.below(60)] = static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(models)));
      frames.push_back(now);
    }
    const std::string bytes = encode_labels(frames, 10, models);
    EXPECT_EQ(decode_labels(bytes, frames.size(), 60, 10, models), frames);
    EXPECT_LT(bytes.size(), 300u) << models;
    EXPECT_THROW(decode_labels(bytes.substr(0, bytes.size() / 3), 100000, 60, 10, models), Error);
  }
}

TEST(Clusters, AreOfEqualCountHoweverTimesAreOrdered) {
  const TrainingClip clip = small_clip(6);
  const auto d = difficulty(clip, Network(small_network()->folded()));
  ASSERT_EQ(static_cast<std::int64_t>(d.size()), clip.patches());
  for (const int k : {2, 3, 4}) {
    const auto labels = by_difficulty(d, k);
    std::vector<std::size_t> counts(static_cast<std::size_t>(k));
    for (std::size_t i = 0; i < d.size(); ++i) {
      ++counts[labels[i]];
      for (std::size_t j = 0; j < d.size(); ++j) EXPECT_TRUE(labels[i] >= labels[j] || d[i] <= d[j]);
    }
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    EXPECT_LE(*most - *least, 1u);
  }
  TrainingClip backwards(4, 2, 2);
  for (int f = clip.frames(); f-- > 0;) backwards.add(Pixels(clip.hr(f)));
  auto reversed = difficulty(backwards, Network(small_network()->folded()));
  std::vector<float> turned;
  for (int f = clip.frames(); f-- > 0;)
    turned.insert(turned.end(), reversed.begin() + 4 * f, reversed.begin() + 4 * f + 4);
  EXPECT_EQ(turned, d);
}

TEST(Png, PicturesAreRealOnes) {
  const std::string bytes = png_bytes(side_by_side({noise(9, 7, 1), noise(9, 7, 2)}));
  EXPECT_EQ(bytes.substr(1, 3), "PNG");
  EXPECT_EQ(base64("Man"), "TWFu");
  EXPECT_EQ(base64("Ma"), "TWE=");
  EXPECT_EQ(base64("M"), "TQ==");
  EXPECT_EQ(base64(""), "");
}

}  // namespace
}  // namespace stream::super_resolution
