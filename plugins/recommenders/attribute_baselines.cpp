#include "recommenders/attribute_baselines.hpp"

#include <cmath>

#include "recommenders/random_forest.hpp"

namespace stream::recommenders {

ClassRegression::ClassRegression(std::span<const float> rows, std::span<const int> truth, std::size_t classes,
                                 std::size_t columns, double ridge)
    : columns_(columns) {
  const torch::NoGradGuard no_grad;
  std::vector<double> x;
  std::vector<int> known;
  for (std::size_t r = 0; r < truth.size(); ++r) {
    if (truth[r] < 0) continue;
    known.push_back(truth[r]);
    for (std::size_t c = 0; c < columns; ++c) x.push_back(static_cast<double>(rows[r * columns + c]));
    x.push_back(1);
  }
  const auto n = static_cast<std::int64_t>(known.size()), d = static_cast<std::int64_t>(columns + 1);
  const at::Tensor X = torch::from_blob(x.data(), {n, d}, at::kDouble);
  at::Tensor penalty = torch::full({d}, ridge, at::kDouble);
  penalty[d - 1] = 1e-6;  // the constant is free
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<double> y, weight;
    double positives = 0;
    for (const int k : known) positives += k == static_cast<int>(c) ? 1 : 0;
    const double all = static_cast<double>(n);
    for (const int k : known) {
      y.push_back(k == static_cast<int>(c) ? 1 : 0);
      weight.push_back(0.5 * all / std::max(1.0, y.back() > 0 ? positives : all - positives));
    }
    const at::Tensor Y = torch::from_blob(y.data(), {n}, at::kDouble),
                     W = torch::from_blob(weight.data(), {n}, at::kDouble);
    at::Tensor w = torch::zeros({d}, at::kDouble);
    for (int round = 0; round < 25; ++round) {
      const at::Tensor p = at::mv(X, w).sigmoid();
      const at::Tensor gradient = at::mv(X.t(), W * (Y - p)) - penalty * w;
      const at::Tensor hessian = at::matmul(X.t(), X * (W * p * (1 - p)).unsqueeze(-1)) + at::diag(penalty);
      const at::Tensor step = std::get<0>(at::linalg_solve_ex(hessian, gradient));
      w = w + step;
      if (step.abs().max().item<double>() < 1e-6) break;
    }
    weights_.emplace_back(w.data_ptr<double>(), w.data_ptr<double>() + d);
  }
}

std::vector<double> ClassRegression::operator()(std::span<const float> row) const {
  std::vector<double> out;
  double sum = 0;
  for (const auto& w : weights_) {
    double dot = w[columns_];
    for (std::size_t c = 0; c < columns_; ++c) dot += w[c] * static_cast<double>(row[c]);
    out.push_back(1 / (1 + std::exp(-dot)));
    sum += out.back();
  }
  for (double& p : out) p /= sum;
  return out;
}

ClassProbabilities by_mean_regression(const ListenerData& data, std::size_t attribute,
                                      std::span<const std::size_t> listeners) {
  std::vector<float> rows;
  std::vector<int> truth;
  for (const std::size_t i : data.split.training) {
    const auto mean = data.mean(i);
    rows.insert(rows.end(), mean.begin(), mean.end());
    truth.push_back(data.classes[i][attribute]);
  }
  const ClassRegression regression(rows, truth, data.attributes[attribute].classes.size(), kPlaylistFeatures);
  ClassProbabilities out;
  for (const std::size_t i : listeners) out.push_back(regression(data.mean(i)));
  return out;
}

ClassProbabilities by_playlist_votes(const ListenerData& data, std::size_t attribute,
                                     std::span<const std::size_t> listeners) {
  std::vector<float> rows;
  std::vector<int> truth;
  for (const std::size_t i : data.split.training) {
    rows.insert(rows.end(), data.x[i].begin(), data.x[i].end());
    truth.insert(truth.end(), data.playlists(i), data.classes[i][attribute]);
  }
  const std::size_t classes = data.attributes[attribute].classes.size();
  const ClassRegression regression(rows, truth, classes, kPlaylistFeatures);
  ClassProbabilities out;
  for (const std::size_t i : listeners) {
    std::vector<double> sum(classes);
    for (std::size_t j = 0; j < data.playlists(i); ++j) {
      const auto p = regression(std::span(data.x[i]).subspan(j * kPlaylistFeatures, kPlaylistFeatures));
      for (std::size_t c = 0; c < classes; ++c) sum[c] += p[c] / static_cast<double>(data.playlists(i));
    }
    out.push_back(std::move(sum));
  }
  return out;
}

namespace {

/// Mean and standard deviation over the listener's playlists [2 kPlaylistFeatures].
std::vector<float> mean_and_deviation(const ListenerData& data, std::size_t listener) {
  std::vector<float> out = data.mean(listener);
  std::vector<double> squares(kPlaylistFeatures);
  const auto& rows = data.x[listener];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double apart = static_cast<double>(rows[i]) - static_cast<double>(out[i % kPlaylistFeatures]);
    squares[i % kPlaylistFeatures] += apart * apart;
  }
  for (const double s : squares)
    out.push_back(static_cast<float>(std::sqrt(s / static_cast<double>(data.playlists(listener)))));
  return out;
}

}  // namespace

ClassProbabilities by_random_forest(const ListenerData& data, std::size_t attribute,
                                    std::span<const std::size_t> listeners, std::uint64_t seed) {
  std::vector<float> rows;
  std::vector<int> truth;
  for (const std::size_t i : data.split.training) {
    if (data.classes[i][attribute] < 0) continue;
    const auto row = mean_and_deviation(data, i);
    rows.insert(rows.end(), row.begin(), row.end());
    truth.push_back(data.classes[i][attribute]);
  }
  const std::size_t classes = data.attributes[attribute].classes.size();
  const RandomForest forest(rows, truth, 2 * kPlaylistFeatures, classes, seed);
  ClassProbabilities out;
  for (const std::size_t i : listeners) {
    std::vector<double> p(classes);
    p[static_cast<std::size_t>(forest(mean_and_deviation(data, i)))] = 1;
    out.push_back(std::move(p));
  }
  return out;
}

}  // namespace stream::recommenders
