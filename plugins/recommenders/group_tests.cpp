#include "recommenders/group_tests.hpp"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace stream::recommenders {

namespace {

struct Ranked {
  std::vector<double> ranks;  ///< from 1; ties share their mean
  double ties = 0;            ///< sum of t^3 - t
};

Ranked ranked(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  Ranked out{std::vector<double>(values.size()), 0};
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const auto t = static_cast<double>(end - i);
    out.ties += t * t * t - t;
    for (; i < end; ++i) out.ranks[order[i]] = static_cast<double>(end) - (t - 1) / 2;
  }
  return out;
}

/// Two-sided p of U by all ways to choose the first group's ranks.
double exact_p(double u, std::size_t first, std::size_t all) {
  double as_far = 0, ways = 0;
  const double middle = static_cast<double>(first * (all - first)) / 2;
  for (std::uint32_t chosen = 0; chosen < (1u << all); ++chosen) {
    double ranks = 0;
    std::size_t n = 0;
    for (std::size_t i = 0; i < all; ++i)
      if (chosen >> i & 1u) ranks += static_cast<double>(i + 1), ++n;
    if (n != first) continue;
    ways += 1;
    const double other = ranks - static_cast<double>(first * (first + 1)) / 2;
    if (std::abs(other - middle) >= std::abs(u - middle) - 1e-9) as_far += 1;
  }
  return as_far / ways;
}

}  // namespace

TestResult mann_whitney(std::span<const double> first, std::span<const double> second) {
  std::vector<double> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  const auto a = static_cast<double>(first.size()), b = static_cast<double>(second.size()), n = a + b;
  if (first.empty() || second.empty()) return {};
  const Ranked r = ranked(all);
  double sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) sum += r.ranks[i];
  TestResult out;
  out.statistic = sum - a * (a + 1) / 2;
  const double variance = a * b / 12 * (n + 1 - r.ties / (n * (n - 1)));
  if (!(variance > 0)) return out;
  const double apart = out.statistic - a * b / 2;
  const double z = (apart - std::copysign(std::min(0.5, std::abs(apart)), apart)) / std::sqrt(variance);
  out.effect = apart / std::sqrt(variance) / std::sqrt(n);
  out.p = all.size() <= 8 && r.ties == 0 ? exact_p(out.statistic, first.size(), all.size())
                                         : std::erfc(std::abs(z) / std::sqrt(2.0));
  return out;
}

TestResult kruskal_wallis(std::span<const std::vector<double>> groups) {
  std::vector<double> all;
  std::size_t used = 0;
  for (const auto& group : groups) {
    all.insert(all.end(), group.begin(), group.end());
    used += group.empty() ? 0 : 1;
  }
  const auto n = static_cast<double>(all.size());
  if (used < 2 || all.size() < 3) return {};
  const Ranked r = ranked(all);
  double sum = 0;
  std::size_t at = 0;
  for (const auto& group : groups) {
    if (group.empty()) continue;
    double ranks = 0;
    for (std::size_t i = 0; i < group.size(); ++i) ranks += r.ranks[at++];
    sum += ranks * ranks / static_cast<double>(group.size());
  }
  const double correction = 1 - r.ties / (n * n * n - n);
  if (!(correction > 0)) return {};
  TestResult out;
  out.statistic = std::max(0.0, (12 / (n * (n + 1)) * sum - 3 * (n + 1)) / correction);
  out.effect = out.statistic * (n + 1) / (n * n - 1);
  out.p = boost::math::cdf(
      boost::math::complement(boost::math::chi_squared(static_cast<double>(used - 1)), out.statistic));
  return out;
}

TestResult spearman_test(std::span<const double> a, std::span<const double> b) {
  const auto n = static_cast<double>(a.size());
  if (a.size() < 3) return {};
  const Ranked x = ranked({a.begin(), a.end()}), y = ranked({b.begin(), b.end()});
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double u = x.ranks[i] - (n + 1) / 2, v = y.ranks[i] - (n + 1) / 2;
    xy += u * v, xx += u * u, yy += v * v;
  }
  if (!(xx > 0) || !(yy > 0)) return {};
  TestResult out;
  out.statistic = out.effect = xy / std::sqrt(xx * yy);
  const double left = 1 - out.statistic * out.statistic;
  const double t = left > 0 ? std::abs(out.statistic) * std::sqrt((n - 2) / left) : 1e9;
  out.p = 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(n - 2), t));
  return out;
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
  std::vector<double> out(p.begin(), p.end());
  double least = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    least =
        std::min(least, p[order[rank - 1]] * static_cast<double>(order.size()) / static_cast<double>(rank));
    out[order[rank - 1]] = least;
  }
  return out;
}

Similarity group_similarity(std::span<const float> rows, std::span<const int> groups, std::size_t columns,
                            std::size_t permutations, Random random) {
  const std::size_t n = groups.size();
  std::vector<float> distance(n * n), length(n);
  for (std::size_t i = 0; i < n; ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += rows[i * columns + c] * rows[i * columns + c];
    length[i] = std::sqrt(sum);
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      float dot = 0;
      for (std::size_t c = 0; c < columns; ++c) dot += rows[i * columns + c] * rows[j * columns + c];
      const float norm = length[i] * length[j];
      distance[i * n + j] = 1 - (norm > 0 ? dot / norm : 0.0f);
    }
  std::vector<int> of(groups.begin(), groups.end());
  const auto means = [&] {
    double inside = 0, outside = 0, pairs_inside = 0, pairs_outside = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < i; ++j) {
        if (of[i] < 0 || of[j] < 0) continue;
        if (of[i] == of[j])
          inside += static_cast<double>(distance[i * n + j]), pairs_inside += 1;
        else
          outside += static_cast<double>(distance[i * n + j]), pairs_outside += 1;
      }
    return std::pair(inside / std::max(1.0, pairs_inside), outside / std::max(1.0, pairs_outside));
  };
  const auto [within, between] = means();
  double as_great = 1;
  for (std::size_t r = 0; r < permutations; ++r) {
    for (std::size_t i = n; i > 1; --i) std::swap(of[i - 1], of[random.below(i)]);
    const auto [inside, outside] = means();
    if (outside - inside >= between - within) as_great += 1;
  }
  return {within, between, as_great / static_cast<double>(permutations + 1)};
}

}  // namespace stream::recommenders
