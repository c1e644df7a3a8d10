#include "asr/front_end.hpp"

namespace stream::asr {

namespace {
/// Brings log-mels of speech (mean -8.5, standard deviation 4.3 over the corpus) to about zero and one. A
/// constant, so that it needs no future; raw values this far from zero leave the first layers almost blind to
/// what varies.
constexpr float kMelShift = 8.5f, kMelScale = 0.25f;

double mel_of(double hz) {
  constexpr double kLinear = 200.0 / 3.0;
  return hz < 1000.0 ? hz / kLinear : 15.0 + 27.0 * std::log(hz / 1000.0) / std::log(6.4);
}
double hz_of(double mel) {
  constexpr double kLinear = 200.0 / 3.0;
  return mel < 15.0 ? mel * kLinear : 1000.0 * std::exp((mel - 15.0) * std::log(6.4) / 27.0);
}
}  // namespace

at::Tensor slaney_filterbank() {
  constexpr int kBins = kFft / 2 + 1;
  std::vector<double> edge(kMels + 2);
  const double top = mel_of(kRate / 2.0);
  for (int i = 0; i < kMels + 2; ++i) edge[static_cast<std::size_t>(i)] = hz_of(top * i / (kMels + 1));
  at::Tensor bank = torch::zeros({kBins, kMels});
  auto value = bank.accessor<float, 2>();
  for (int m = 0; m < kMels; ++m) {
    const auto i = static_cast<std::size_t>(m);
    const double low = edge[i], mid = edge[i + 1], high = edge[i + 2];
    for (int b = 0; b < kBins; ++b) {
      const double hz = static_cast<double>(b) * kRate / kFft;
      const double weight = std::min((hz - low) / (mid - low), (high - hz) / (high - mid));
      if (weight > 0) value[b][m] = static_cast<float>(weight * 2.0 / (high - low));
    }
  }
  return bank;
}

FrontEnd::FrontEnd() : window_(torch::hann_window(kWindow, /*periodic=*/false)), bank_(slaney_filterbank()) {}

at::Tensor FrontEnd::forward(const at::Tensor& samples) const {
  RECORD_USER_SCOPE("front_end");
  const std::int64_t n = samples.size(0);
  const at::Tensor emphasised = samples.narrow(0, 1, n - 1) - samples.narrow(0, 0, n - 1) * kPreEmphasis;
  // Where the window lies inside the 512 points changes phases only, so zeros may all stand behind it.
  const at::Tensor spectrum = at::fft_rfft(emphasised.unfold(0, kWindow, kHop) * window_, kFft);
  const at::Tensor power = at::view_as_real(spectrum).square().sum(-1);
  return power.matmul(bank_).add_(0x1.0p-24).log_().add_(kMelShift).mul_(kMelScale);
}

at::Tensor FrontEnd::offline(const at::Tensor& samples) const {
  const std::int64_t n = samples.size(0), count = frames(n);
  if (count == 0) return torch::empty({0, kMels});
  const std::int64_t right = (count - 1) * kHop + kHalf - n;
  at::Tensor padded = at::constant_pad_nd(samples, {kHalf + 1, std::max<std::int64_t>(0, right)});
  return forward(padded.narrow(0, 0, (count - 1) * kHop + kWindow + 1));
}

}  // namespace stream::asr
