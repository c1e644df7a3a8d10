#include "recommenders/cml_scores.hpp"

#include <algorithm>
#include <cmath>

#include "evaluate/measures.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

Taste by_distance(const CmlData& data, const FilmTower& tower, double tau) {
  auto z = std::make_shared<std::vector<std::vector<double>>>();
  for (std::size_t m = 0; m < data.log().films.size(); ++m)
    z->push_back(tower(data.x(static_cast<std::int32_t>(m))));
  const std::size_t features = data.features();
  return [&data, z, tau, features](std::span<const CmlSample> samples) {
    std::vector<double> out;
    for (const CmlSample& s : samples) {
      const auto u = customer_point(
          data.history(s), features,
          tau, [&](std::int32_t film) -> const auto& { return (*z)[static_cast<std::size_t>(film)]; });
      out.push_back(-squared_distance(u, (*z)[static_cast<std::size_t>(s.film)]));
    }
    return out;
  };
}

std::vector<double> fit_logistic(std::span<const double> x, std::span<const std::uint8_t> y,
                                 std::size_t columns) {
  std::vector<double> w(columns);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> gradient(columns), hessian(columns * columns);
    for (std::size_t r = 0; r < y.size(); ++r) {
      const double* row = x.data() + r * columns;
      double dot = 0;
      for (std::size_t i = 0; i < columns; ++i) dot += row[i] * w[i];
      const double p = sigmoid(dot), v = p * (1 - p);
      for (std::size_t i = 0; i < columns; ++i) {
        gradient[i] += (static_cast<double>(y[r]) - p) * row[i];
        for (std::size_t j = 0; j <= i; ++j) hessian[i * columns + j] += v * row[i] * row[j];
      }
    }
    constexpr double kRidge = 1e-6;
    for (std::size_t i = 0; i < columns; ++i) {
      gradient[i] -= kRidge * w[i];
      hessian[i * columns + i] += kRidge;
    }
    // Cholesky: H = L L'.
    auto& l = hessian;
    for (std::size_t i = 0; i < columns; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = l[i * columns + j];
        for (std::size_t k = 0; k < j; ++k) sum -= l[i * columns + k] * l[j * columns + k];
        l[i * columns + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / l[j * columns + j];
      }
    for (std::size_t i = 0; i < columns; ++i) {
      for (std::size_t k = 0; k < i; ++k) gradient[i] -= l[i * columns + k] * gradient[k];
      gradient[i] /= l[i * columns + i];
    }
    double step = 0;
    for (std::size_t i = columns; i-- > 0;) {
      for (std::size_t k = i + 1; k < columns; ++k) gradient[i] -= l[k * columns + i] * gradient[k];
      gradient[i] /= l[i * columns + i];
      w[i] += gradient[i];
      step = std::max(step, std::abs(gradient[i]));
    }
    if (step < 1e-9) break;
  }
  return w;
}

namespace {

/// Calls `with(samples of one film)` for each film in turn; samples lie film by film.
template <typename With>
void by_film(std::span<const CmlSample> samples, const With& with) {
  for (std::size_t begin = 0; begin < samples.size();) {
    std::size_t end = begin;
    while (end < samples.size() && samples[end].film == samples[begin].film) ++end;
    with(samples.subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace

double corrected_intercept(std::span<const double> logits, std::span<const std::uint8_t> bought,
                           double rate) {
  double target = 0;
  for (const std::uint8_t b : bought) target += b;
  double shift = std::log(rate);
  for (int round = 0; round < 50; ++round) {
    double sum = 0, slope = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double p = sigmoid(logits[i] + shift), w = bought[i] ? 1 : 1 / rate;
      sum += w * p, slope += w * p * (1 - p);
    }
    if (!(slope > 0)) break;
    const double step = std::clamp((target - sum) / slope, -1.0, 1.0);
    shift += step;
    if (std::abs(step) < 1e-10) break;
  }
  return shift;
}

PurchaseHead fit_head(const CmlData& data, std::span<const CmlSample> samples, double rate,
                      const Taste& taste) {
  std::vector<double> x;
  std::vector<std::uint8_t> y;
  const std::size_t covariates = data.covariate_means().size();
  by_film(samples, [&](std::span<const CmlSample> some) {
    const std::vector<double> t = taste(some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Habit habit = data.habit(some[i]);
      x.insert(x.end(), {1.0, t[i], habit.frequency, habit.recency});
      const auto c = data.covariates(some[i].film);
      x.insert(x.end(), c.begin(), c.end());
      y.push_back(some[i].bought ? 1 : 0);
    }
  });
  if (y.empty()) throw bad_data("there are no samples to fit to");
  const auto w = fit_logistic(x, y, 4 + covariates);
  PurchaseHead head{w[0], w[1], w[2], w[3], {w.begin() + 4, w.end()}, 0};
  std::vector<double> logits(y.size());
  for (std::size_t r = 0; r < y.size(); ++r)
    for (std::size_t i = 0; i < w.size(); ++i) logits[r] += w[i] * x[r * w.size() + i];
  head.intercept += corrected_intercept(logits, y, rate);
  return head;
}

int tier_of(std::size_t tickets) { return tickets <= 5 ? 0 : tickets <= 20 ? 1 : 2; }
const char* name_of_tier(int tier) {
  static constexpr const char* kNames[] = {"casual", "regular", "frequent"};
  return kNames[tier];
}

AudienceQuality measure_logits(const CmlData& data, FilmRange films, const Taste& taste,
                               const std::function<double(const CmlSample&, double)>& logit) {
  struct Customer {
    std::vector<double> scores, tastes;
    std::vector<std::uint8_t> bought;
    std::size_t before = 0;  ///< tickets before the first of the films
  };
  std::vector<Customer> customers(data.log().customers.size());
  std::vector<double> scores, probabilities, foretold, came;
  std::vector<std::uint8_t> bought;
  const auto samples = data.samples(films, 1, 0);
  by_film(samples, [&](std::span<const CmlSample> some) {
    const auto t = taste(some);
    double expected = 0, actual = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      const double score = logit(some[i], t[i]);
      scores.push_back(score), probabilities.push_back(sigmoid(score));
      bought.push_back(some[i].bought ? 1 : 0);
      expected += probabilities.back(), actual += some[i].bought ? 1 : 0;
      Customer& c = customers[static_cast<std::size_t>(some[i].customer)];
      if (c.scores.empty()) c.before = static_cast<std::size_t>(some[i].before);
      c.scores.push_back(score), c.tastes.push_back(t[i]), c.bought.push_back(bought.back());
    }
    foretold.push_back(expected), came.push_back(actual);
  });
  AudienceQuality out;
  out.auc = evaluate::auc(scores, bought);
  out.calibration = evaluate::calibration_error(probabilities, bought, 10);
  out.spearman = evaluate::spearman(foretold, came);
  double n = 0, sums[3] = {};
  for (const Customer& c : customers) {
    if (c.scores.empty()) continue;
    const double a = evaluate::auc(c.scores, c.bought);
    if (std::isnan(a)) continue;
    n += 1;
    out.within += a;
    out.within_distance += evaluate::auc(c.tastes, c.bought);
    const int tier = tier_of(c.before);
    sums[tier] += a;
    ++out.customers[tier];
  }
  out.within /= n, out.within_distance /= n;
  for (int t = 0; t < 3; ++t) out.tiers[t] = sums[t] / static_cast<double>(out.customers[t]);
  return out;
}

AudienceQuality measure_audience(const CmlData& data, FilmRange films, const Taste& taste,
                                 const PurchaseHead& head) {
  return measure_logits(data, films, taste, [&](const CmlSample& s, double t) {
    return head.logit(-t, data.habit(s), data.covariates(s.film));
  });
}

}  // namespace stream::recommenders
