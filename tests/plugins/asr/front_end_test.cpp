/// The front-end against its definition, computed naively in double precision: pre-emphasis, a DFT term by
/// term, triangles on Slaney's mel scale, logarithm.
#include "asr/front_end.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "nn/device.hpp"
#include "stream/random.hpp"

namespace stream::asr {
namespace {

/// A chirp with a tone and noise over it: something in every band, and an end that is not silent.
std::vector<float> recording(std::size_t n) {
  Random random(12);
  std::vector<float> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / kRate;
    out[i] = static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * (200 + 4000 * t) * t) +
                                0.1 * std::sin(2 * std::numbers::pi * 1234 * t) + 0.05 * random.normal());
  }
  return out;
}

double slaney_mel(double hz) {
  return hz < 1000 ? 3 * hz / 200 : 15 + 27 * std::log(hz / 1000) / std::log(6.4);
}

double slaney_hz(double mel) { return mel < 15 ? 200 * mel / 3 : 1000 * std::pow(6.4, (mel - 15) / 27); }

/// Weight of DFT bin `bin` in band `band`: triangles with corners at equal steps of mel from 0 Hz to 8 kHz,
/// of unit area over the frequency in hertz.
double mel_weight(int band, int bin) {
  const double step = slaney_mel(8000) / 81;
  const double low = slaney_hz(step * band), middle = slaney_hz(step * (band + 1)),
               high = slaney_hz(step * (band + 2));
  const double hz = 16000.0 * bin / 512;
  if (hz <= low || hz >= high) return 0;
  const double height = hz < middle ? (hz - low) / (middle - low) : (high - hz) / (high - middle);
  return 2 * height / (high - low);
}

/// Frame t of the recording, zeros standing before and after it: 80 numbers.
std::vector<double> direct(const std::vector<float>& samples, std::int64_t t) {
  const auto sample = [&](std::int64_t i) {
    return i < 0 || i >= static_cast<std::int64_t>(samples.size())
               ? 0.0
               : double{samples[static_cast<std::size_t>(i)]};
  };
  // 400 points of a symmetric Hann window in the middle of 512, whose middle is sample 160 t.
  std::vector<double> windowed(512);
  for (std::size_t i = 0; i < 400; ++i) {
    const std::int64_t at = 160 * t - 200 + static_cast<std::int64_t>(i);
    const double phase = 2 * std::numbers::pi * static_cast<double>(i) / 399;
    windowed[56 + i] = (sample(at) - 0.97 * sample(at - 1)) * (0.5 - 0.5 * std::cos(phase));
  }
  std::vector<double> power(257);
  for (int bin = 0; bin <= 256; ++bin) {
    double re = 0, im = 0;
    for (int i = 0; i < 512; ++i) {
      const double phase = 2 * std::numbers::pi * ((bin * i) % 512) / 512;
      re += windowed[static_cast<std::size_t>(i)] * std::cos(phase);
      im -= windowed[static_cast<std::size_t>(i)] * std::sin(phase);
    }
    power[static_cast<std::size_t>(bin)] = re * re + im * im;
  }
  std::vector<double> out(80);
  for (int band = 0; band < 80; ++band) {
    double sum = 0;
    for (int bin = 0; bin <= 256; ++bin) sum += mel_weight(band, bin) * power[static_cast<std::size_t>(bin)];
    // A constant shift and scale, which need no future, bring speech to about zero and one.
    out[static_cast<std::size_t>(band)] = (std::log(sum + std::pow(2.0, -24)) + 8.5) / 4;
  }
  return out;
}

at::Tensor tensor_of(const std::vector<float>& samples) {
  return torch::tensor(at::ArrayRef<float>(samples.data(), samples.size()));
}

TEST(FrontEnd, MelScaleIsSlaneys) {
  // Values of the Auditory Toolbox, as other implementations document them.
  EXPECT_NEAR(slaney_mel(60), 0.9, 1e-12);
  EXPECT_NEAR(slaney_mel(440), 6.6, 1e-12);
  EXPECT_NEAR(slaney_mel(6400), 42, 1e-12);
  EXPECT_NEAR(slaney_hz(42), 6400, 1e-9);
  const at::Tensor bank = slaney_filterbank();
  ASSERT_EQ(bank.sizes(), (at::IntArrayRef{257, 80}));
  for (int band = 0; band < 80; ++band)
    for (int bin = 0; bin <= 256; ++bin)
      ASSERT_NEAR(bank[bin][band].item<double>(), mel_weight(band, bin), 1e-8) << band << ' ' << bin;
}

TEST(FrontEnd, EqualsTheFormula) {
  for (const std::size_t n : {1u, 159u, 160u, 161u, 399u, 3217u}) {
    const auto samples = recording(n);
    const at::Tensor found = nn::inference([&] { return FrontEnd().offline(tensor_of(samples)); });
    ASSERT_EQ(found.size(0), FrontEnd::frames(static_cast<std::int64_t>(n)));
    for (std::int64_t t = 0; t < found.size(0); ++t) {
      const auto expected = direct(samples, t);
      for (std::int64_t band = 0; band < 80; ++band)
        ASSERT_NEAR(found[t][band].item<double>(), expected[static_cast<std::size_t>(band)], 2e-4)
            << n << " samples, frame " << t << ", band " << band;
    }
  }
}

TEST(FrontEnd, NothingAndSilence) {
  EXPECT_EQ(FrontEnd().offline(torch::empty({0})).size(0), 0);
  const at::Tensor silence = FrontEnd().offline(torch::zeros({1600}));
  const double floor = (std::log(std::pow(2.0, -24)) + 8.5) / 4;
  EXPECT_LT((silence - floor).abs().max().item<double>(), 1e-5);
}

/// Frames made a few at a time, each from its own samples alone, are those of the whole recording.
TEST(FrontEnd, PiecesGiveTheFramesOfTheWhole) {
  const auto samples = recording(16000);
  const FrontEnd front_end;
  const at::Tensor whole = front_end.offline(tensor_of(samples));
  // What `offline` puts around the recording.
  std::vector<float> padded(kHalf + 1, 0.0F);
  padded.insert(padded.end(), samples.begin(), samples.end());
  padded.resize(padded.size() + kHalf, 0.0F);
  const at::Tensor all = tensor_of(padded);
  for (const std::int64_t piece : {1, 8, 56}) {
    for (std::int64_t first = 0; first + piece <= whole.size(0); first += piece) {
      const at::Tensor part =
          front_end.forward(all.narrow(0, first * kHop, (piece - 1) * kHop + kWindow + 1));
      ASSERT_LT((part - whole.narrow(0, first, piece)).abs().max().item<double>(), 1e-5)
          << piece << ' ' << first;
    }
  }
}

}  // namespace
}  // namespace stream::asr
