#include "asr/acoustics.hpp"

#include <soxr.h>

#include <cmath>

#include "asr/front_end.hpp"
#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::asr {

std::vector<float> resample(std::span<const float> samples, double from, double to) {
  std::vector<float> out(
      static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * to / from)));
  std::size_t used = 0, made = 0;
  const soxr_error_t error = soxr_oneshot(from, to, 1, samples.data(), samples.size(), &used, out.data(),
                                          out.size(), &made, nullptr, nullptr, nullptr);
  if (error) throw failed(std::string("resampling: ") + error);
  out.resize(made);
  return out;
}

std::vector<float> room_response(double t60, Random& random) {
  const auto n = static_cast<std::size_t>(t60 * kRate);
  std::vector<float> out(n + 1);
  out[0] = 1.0f;
  // 60 dB down in amplitude is a factor 10^-3. The reverberant part starts 2 to 10 ms after the direct sound.
  const double decay = -std::log(1000.0) / static_cast<double>(n), level = random.uniform(0.02, 0.12);
  const std::size_t start = 32 + random.below(128);
  for (std::size_t i = start; i <= n; ++i)
    out[i] = static_cast<float>(level * random.normal() * std::exp(decay * static_cast<double>(i)));
  return out;
}

std::vector<float> in_room(std::span<const float> samples, std::span<const float> response) {
  return nn::inference([&] {
    const auto tensor = [](std::span<const float> s) {
      return at::from_blob(const_cast<float*>(s.data()), {static_cast<std::int64_t>(s.size())}, at::kFloat);
    };
    std::int64_t size = 1;
    while (size < static_cast<std::int64_t>(samples.size() + response.size())) size *= 2;
    const at::Tensor wet =
        at::fft_irfft(at::fft_rfft(tensor(samples), size) * at::fft_rfft(tensor(response), size), size);
    const float* data = wet.data_ptr<float>();
    return std::vector<float>(data, data + samples.size());
  });
}

std::vector<float> noise(Noise kind, std::size_t n, Random& random) {
  std::vector<float> out(n);
  if (kind == Noise::kTones) {
    const int tones = 1 + static_cast<int>(random.below(3));
    for (int t = 0; t < tones; ++t) {
      const double from = random.uniform(150, 1500), slope = random.uniform(50, 800),
                   phase = random.uniform(0, 2 * M_PI);
      const double span = random.uniform(0.5, 2.0);  // seconds after which the tone starts again
      for (std::size_t i = 0; i < n; ++i) {
        const double x = std::fmod(static_cast<double>(i) / kRate, span);
        out[i] += static_cast<float>(std::sin(phase + 2 * M_PI * (from + 0.5 * slope * x) * x));
      }
    }
  } else {
    // A sum of four uniform draws is near enough to a normal for noise, and much cheaper.
    const auto draw = [&] {
      const std::uint64_t bits = random();
      return static_cast<double>((bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) +
                                 (bits >> 48)) /
                 65536.0 -
             2.0;
    };
    // Pink: white noise through three one-pole filters an octave and a half apart (after Kellet).
    double b0 = 0, b1 = 0, b2 = 0;
    for (auto& sample : out) {
      const double white = draw();
      if (kind == Noise::kPink) {
        b0 = 0.99765 * b0 + white * 0.0990460;
        b1 = 0.96300 * b1 + white * 0.2965164;
        b2 = 0.57000 * b2 + white * 1.0526913;
        sample = static_cast<float>(b0 + b1 + b2 + white * 0.1848);
      } else {
        sample = static_cast<float>(white);
      }
    }
  }
  const double scale = 1.0 / std::sqrt(power(out) + 1e-20);
  for (auto& sample : out) sample = static_cast<float>(sample * scale);
  return out;
}

double power(std::span<const float> samples) {
  double sum = 0;
  for (const float s : samples) sum += static_cast<double>(s) * s;
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

}  // namespace stream::asr
