#include "resampler.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream {
namespace {

std::vector<float> sine(double hertz, int rate, std::size_t frames) {
  std::vector<float> samples(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    samples[i] = static_cast<float>(std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  }
  return samples;
}

std::vector<float> resampled(const std::vector<float>& in, int from, int to, int channels = 1) {
  Resampler resampler(from, to, channels);
  std::vector<float> out;
  resampler.push(in, out);
  resampler.finish(out);
  return out;
}

/// Power of the difference to the ideal, in dB below that of a full sine; ends left out.
double error_db(const std::vector<float>& found, const std::vector<float>& ideal) {
  double sum = 0;
  const std::size_t margin = found.size() / 4;
  for (std::size_t i = margin; i < found.size() - margin; ++i) sum += std::pow(found[i] - ideal[i], 2);
  return 10 * std::log10(sum / static_cast<double>(found.size() - 2 * margin) / 0.5 + 1e-30);
}

class Rates : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(Rates, KeepASineInTheBandAndRemoveOneOutsideIt) {
  const auto [from, to] = GetParam();
  const std::size_t frames = static_cast<std::size_t>(from) / 2;
  const double nyquist = std::min(from, to) / 2.0;
  for (const double part : {0.05, 0.5, 0.88}) {
    const auto out = resampled(sine(part * nyquist, from, frames), from, to);
    EXPECT_EQ(out.size(), (frames * static_cast<std::size_t>(to) + static_cast<std::size_t>(from) - 1) /
                              static_cast<std::size_t>(from));
    EXPECT_LT(error_db(out, sine(part * nyquist, to, out.size())), -85)
        << from << " to " << to << " at " << part;
  }
  if (to < from) {
    const double above = std::min(1.02 * nyquist, 0.99 * from / 2);
    const auto out = resampled(sine(above, from, frames), from, to);
    EXPECT_LT(error_db(out, std::vector<float>(out.size())), -90) << from << " to " << to;
  }
}
INSTANTIATE_TEST_SUITE_P(Common, Rates,
                         ::testing::Values(std::pair{44100, 16000}, std::pair{48000, 16000},
                                           std::pair{8000, 16000}, std::pair{11025, 16000},
                                           std::pair{16000, 44100}, std::pair{44101, 16000},
                                           std::pair{96000, 8000}, std::pair{22050, 48000}));

TEST(Resampler, NeitherChunksNorCheckpointsMatterToTheBit) {
  Random random(1);
  std::vector<float> in(2 * 5000);
  for (float& x : in) x = static_cast<float>(random.uniform(-1, 1));
  const auto expected = resampled(in, 44100, 16000, 2);
  for (int round = 0; round < 20; ++round) {
    auto resampler = std::make_unique<Resampler>(44100, 16000, 2);
    std::vector<float> out;
    for (std::size_t at = 0; at < in.size();) {
      const std::size_t piece = std::min<std::size_t>(in.size() - at, 2 * random.below(400));
      resampler->push(std::span<const float>(in).subspan(at, piece), out);
      at += piece;
      if (random.below(3) == 0) {
        Archive state;
        resampler->save(state);
        resampler = std::make_unique<Resampler>(44100, 16000, 2);
        resampler->load(state);
      }
    }
    resampler->finish(out);
    ASSERT_EQ(out, expected);
  }
}

TEST(Resampler, ExtremeRatiosStayWithinMemory) {
  EXPECT_EQ(resampled(std::vector<float>(1000, 1.f), 767999, 3001).size(), 4u);
  EXPECT_EQ(resampled(std::vector<float>(10, 1.f), 3000, 768000).size(), 2560u);
  EXPECT_THROW(Resampler(767999, 1, 1), Error);
  EXPECT_THROW(Resampler(1, 16000, 1), Error);
  EXPECT_EQ(resampled({}, 44100, 16000).size(), 0u);
}

}  // namespace
}  // namespace stream
