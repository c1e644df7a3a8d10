#include "evaluate/measures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stream/random.hpp"

namespace stream::evaluate {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <typename Item>
std::vector<bool> hits(std::span<const Item> ranked, const std::unordered_set<Item>& relevant) {
  std::vector<bool> out(ranked.size());
  std::unordered_set<Item> found;
  for (std::size_t i = 0; i < ranked.size(); ++i)
    out[i] = relevant.contains(ranked[i]) && found.insert(ranked[i]).second;
  return out;
}

/// Ranks from 1; equal values share their mean rank.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double mean = static_cast<double>(i + end + 1) / 2;
    for (; i < end; ++i) out[order[i]] = mean;
  }
  return out;
}

}  // namespace

double dcg(std::span<const double> gains, std::size_t k) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(k, gains.size()); ++i)
    sum += gains[i] / std::log2(static_cast<double>(i) + 2);
  return sum;
}

double ndcg(const std::vector<bool>& hits, std::size_t relevant, std::size_t k) {
  if (relevant == 0) return kNone;
  const std::vector<double> gains(hits.begin(), hits.end());
  const std::vector<double> ideal(std::min(relevant, k), 1.0);
  return dcg(gains, k) / dcg(ideal, k);
}

double recall(const std::vector<bool>& hits, std::size_t relevant, std::size_t k) {
  if (relevant == 0) return kNone;
  const auto end = hits.begin() + static_cast<std::ptrdiff_t>(std::min(k, hits.size()));
  return static_cast<double>(std::count(hits.begin(), end, true)) / static_cast<double>(relevant);
}

std::vector<bool> hits_of(std::span<const std::string> ranked,
                          const std::unordered_set<std::string>& relevant) {
  return hits(ranked, relevant);
}
std::vector<bool> hits_of(std::span<const std::int32_t> ranked,
                          const std::unordered_set<std::int32_t>& relevant) {
  return hits(ranked, relevant);
}

double auc_of_sorted(std::span<const double> scores, std::span<const std::uint8_t> positive,
                     std::span<const double> weights) {
  double negatives = 0, positives = 0, below = 0;
  for (std::size_t i = 0; i < scores.size();) {
    double tied_negatives = 0, tied_positives = 0;
    const double score = scores[i];
    for (; i < scores.size() && scores[i] == score; ++i)
      (positive[i] != 0 ? tied_positives : tied_negatives) += weights[i];
    below += tied_positives * (negatives + tied_negatives / 2);
    negatives += tied_negatives, positives += tied_positives;
  }
  return negatives > 0 && positives > 0 ? below / (negatives * positives) : kNone;
}

double auc(std::span<const double> scores, std::span<const std::uint8_t> positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  std::vector<double> sorted;
  std::vector<std::uint8_t> labels;
  for (const std::size_t i : order) sorted.push_back(scores[i]), labels.push_back(positive[i]);
  return auc_of_sorted(sorted, labels, std::vector<double>(sorted.size(), 1.0));
}

double rmse(std::span<const double> predicted, std::span<const double> truth) {
  if (truth.empty()) return kNone;
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) sum += (predicted[i] - truth[i]) * (predicted[i] - truth[i]);
  return std::sqrt(sum / static_cast<double>(truth.size()));
}

double calibration_error(std::span<const double> probabilities, std::span<const std::uint8_t> positive,
                         std::size_t bins) {
  if (probabilities.empty()) return kNone;
  std::vector<double> gap(bins);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const auto bin = static_cast<std::size_t>(probabilities[i] * static_cast<double>(bins));
    gap[std::min(bin, bins - 1)] += probabilities[i] - (positive[i] != 0 ? 1.0 : 0.0);
  }
  double sum = 0;
  for (const double g : gap) sum += std::abs(g);
  return sum / static_cast<double>(probabilities.size());
}

double spearman(std::span<const double> a, std::span<const double> b) {
  const auto x = ranks(a), y = ranks(b);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean), yy += (y[i] - mean) * (y[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kNone;
}

double quantile(std::vector<double> values, double p) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const double at = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

Interval bootstrap_mean(std::span<const double> values, std::size_t replicates, double level,
                        std::uint64_t seed) {
  if (values.empty()) return {kNone, kNone};
  Random random(seed);
  std::vector<double> means(replicates);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[random.below(values.size())];
    mean = sum / static_cast<double>(values.size());
  }
  return {quantile(means, (1 - level) / 2), quantile(means, (1 + level) / 2)};
}

}  // namespace stream::evaluate
