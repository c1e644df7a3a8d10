#include "resampler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "stream/error.hpp"

namespace stream {
namespace {

constexpr double kAttenuation = 100;                     // dB
constexpr double kBeta = 0.1102 * (kAttenuation - 8.7);  // Kaiser 1974
/// Rows for one input frame at unit bandwidth: linear interpolation between them errs by less than -120 dB.
constexpr double kRows = 4096;

/// Lower bandwidth, as a fraction of the input rate.
double nyquist(std::int64_t up, std::int64_t down) {
  return 0.5 * std::min(1.0, static_cast<double>(up) / static_cast<double>(down));
}

/// Modified Bessel function of the first kind, order 0, by its power series: exact to rounding up to kBeta.
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double kaiser(double x) {  // x in [-1, 1]
  static const double middle = bessel_i0(kBeta);
  return std::abs(x) >= 1 ? 0 : bessel_i0(kBeta * std::sqrt(1 - x * x)) / middle;
}

/// Eight partial sums in a fixed order: fast with any vector width, and the same bits with all.
float dot(const float* a, const float* b, std::size_t n) {
  float sum[8] = {};
  for (std::size_t i = 0; i < n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) sum[j] += a[i + j] * b[i + j];
  }
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

}  // namespace

Resampler::Resampler(int in_rate, int out_rate, int channels)
    : up_(out_rate / std::gcd(in_rate, out_rate)),
      down_(in_rate / std::gcd(in_rate, out_rate)),
      channels_(static_cast<std::size_t>(channels)) {
  if (!possible(in_rate, out_rate))
    throw bad_data("no resampling from " + std::to_string(in_rate) + " to " + std::to_string(out_rate) +
                   " Hz");
  const double edge = nyquist(up_, down_), cutoff = 0.95 * edge;
  const double taps = (kAttenuation - 7.95) / (14.36 * 0.1 * edge);
  half_ = 4 * static_cast<std::size_t>(std::ceil(taps / 8));
  taps_ = 2 * half_;
  rows_ = static_cast<std::size_t>(
      std::min<std::int64_t>(up_, static_cast<std::int64_t>(std::ceil(kRows * edge))));
  table_.resize((rows_ + 1) * taps_);
  for (std::size_t r = 0; r <= rows_; ++r) {
    const double phase = static_cast<double>(r) / static_cast<double>(rows_);
    std::vector<double> row(taps_);
    for (std::size_t j = 0; j < taps_; ++j) {
      const double t = static_cast<double>(j) - static_cast<double>(half_) + 1 - phase;
      const double x = 2 * cutoff * t * std::numbers::pi;
      row[j] = (x == 0 ? 1 : std::sin(x) / x) * kaiser(t / static_cast<double>(half_));
    }
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (std::size_t j = 0; j < taps_; ++j) table_[r * taps_ + j] = static_cast<float>(row[j] / sum);
  }
  between_.resize(taps_);
  base_ = 1 - static_cast<std::int64_t>(half_);
  history_.assign(channels_, std::vector<float>(half_ - 1, 0.f));  // silence before the start
}

/// The filter for a phase of `phase / up_` input frames.
const float* Resampler::row_of(std::size_t phase) {
  if (rows_ == static_cast<std::size_t>(up_)) return &table_[phase * taps_];
  const double at = static_cast<double>(phase) * static_cast<double>(rows_) / static_cast<double>(up_);
  const std::size_t row = static_cast<std::size_t>(at);
  const float weight = static_cast<float>(at - static_cast<double>(row));
  const float* low = &table_[row * taps_];
  for (std::size_t j = 0; j < taps_; ++j) between_[j] = low[j] + weight * (low[taps_ + j] - low[j]);
  return between_.data();
}

void Resampler::push(std::span<const float> in, std::vector<float>& out) {
  const std::size_t frames = in.size() / channels_;
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t i = 0; i < frames; ++i) history_[c].push_back(in[i * channels_ + c]);
  }
  received_ += static_cast<std::int64_t>(frames);
  emit_until(received_ - static_cast<std::int64_t>(half_), out);
}

void Resampler::finish(std::vector<float>& out) {
  for (auto& channel : history_) channel.insert(channel.end(), half_, 0.f);
  emit_until(received_, out);
}

/// Emits every output whose position lies before input frame `end`.
void Resampler::emit_until(std::int64_t end, std::vector<float>& out) {
  while (whole_ < end) {
    const float* row = row_of(static_cast<std::size_t>(part_));
    const auto start = static_cast<std::size_t>(whole_ - static_cast<std::int64_t>(half_) + 1 - base_);
    for (std::size_t c = 0; c < channels_; ++c) out.push_back(dot(history_[c].data() + start, row, taps_));
    part_ += down_;
    whole_ += part_ / up_;
    part_ %= up_;
  }
  // What lies before the next output's window is never needed again.
  const std::int64_t needed = whole_ - static_cast<std::int64_t>(half_) + 1;
  const auto gone =
      std::clamp<std::int64_t>(needed - base_, 0, static_cast<std::int64_t>(history_[0].size()));
  for (auto& channel : history_) channel.erase(channel.begin(), channel.begin() + gone);
  base_ += gone;
}

void Resampler::save(Archive& state) const {
  state.set("base", base_);
  state.set("received", received_);
  state.set("whole", whole_);
  state.set("part", part_);
  for (std::size_t c = 0; c < channels_; ++c) state.set("history" + std::to_string(c), history_[c]);
}

void Resampler::load(const Archive& state) {
  base_ = state.get<std::int64_t>("base");
  received_ = state.get<std::int64_t>("received");
  whole_ = state.get<std::int64_t>("whole");
  part_ = state.get<std::int64_t>("part");
  for (std::size_t c = 0; c < channels_; ++c) {
    history_[c] = state.get<std::vector<float>>("history" + std::to_string(c));
  }
}

}  // namespace stream
