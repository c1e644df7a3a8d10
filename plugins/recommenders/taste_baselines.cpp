#include "recommenders/taste_baselines.hpp"

#include <algorithm>
#include <cmath>

namespace stream::recommenders {

Taste by_nearest_films(const CmlData& data, std::size_t k) {
  auto z = std::make_shared<std::vector<std::vector<double>>>();
  const FilmTower none;
  for (std::size_t m = 0; m < data.log().films.size(); ++m)
    z->push_back(none(data.x(static_cast<std::int32_t>(m))));
  return [&data, z, k](std::span<const CmlSample> samples) {
    std::vector<double> out, near;
    for (const CmlSample& s : samples) {
      const auto& film = (*z)[static_cast<std::size_t>(s.film)];
      const auto tickets = data.history(s);
      near.clear();
      for (const Ticket& t : tickets.last(std::min(tickets.size(), kRemembered))) {
        const auto& other = (*z)[static_cast<std::size_t>(t.film)];
        double dot = 0;
        for (std::size_t f = 0; f < film.size(); ++f) dot += film[f] * other[f];
        near.push_back(dot);
      }
      const std::size_t n = std::min(k, near.size());
      std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(n), near.end(),
                        std::greater<>());
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += near[i];
      out.push_back(n > 0 ? sum / static_cast<double>(n) : 0.0);
    }
    return out;
  };
}

namespace {

/// u.v (+ b) from tables of rows.
struct Factors {
  std::size_t features;
  std::vector<double> customers, films, biases;
  double operator()(const CmlSample& s) const {
    const double* u = customers.data() + static_cast<std::size_t>(s.customer) * features;
    const double* v = films.data() + static_cast<std::size_t>(s.film) * features;
    double sum = biases.empty() ? 0.0 : biases[static_cast<std::size_t>(s.film)];
    for (std::size_t f = 0; f < features; ++f) sum += u[f] * v[f];
    return sum;
  }
};

Taste taste_of(std::shared_ptr<const Factors> factors) {
  return [factors](std::span<const CmlSample> samples) {
    std::vector<double> out;
    for (const CmlSample& s : samples) out.push_back((*factors)(s));
    return out;
  };
}

/// Solves A x = b for symmetric positive definite A [n, n] in place of b; A is lost.
void solve(std::vector<double>& a, std::vector<double>& b, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
    }
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
}

}  // namespace

Taste by_bpr(const CmlData& data, const BprOptions& o, Random random) {
  const TicketLog& log = data.log();
  const std::size_t end = data.training().end, d = o.features;
  auto factors = std::make_shared<Factors>();
  factors->features = d;
  factors->customers.resize(log.customers.size() * d);
  factors->films.resize(log.films.size() * d);
  factors->biases.assign(log.films.size(), 0);
  for (double& v : factors->customers) v = 0.01 * random.normal();
  for (double& v : factors->films) v = 0.01 * random.normal();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t m = 0; m < end; ++m)
    for (const std::int32_t c : log.attendances[m]) pairs.emplace_back(static_cast<std::size_t>(c), m);
  const double run = data.split().run * kSecondsOfDay;
  for (std::int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    for (std::size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[random.below(i)]);
    for (const auto& [c, m] : pairs) {
      const auto first = log.shown.begin(), last = first + static_cast<std::ptrdiff_t>(end);
      const auto low = static_cast<std::size_t>(std::lower_bound(first, last, log.shown[m] - run) - first),
                 high = static_cast<std::size_t>(std::upper_bound(first, last, log.shown[m] + run) - first);
      const std::size_t other = low + random.below(high - low);
      if (other == m || data.bought(static_cast<std::int32_t>(c), static_cast<std::int32_t>(other))) continue;
      double* u = factors->customers.data() + c * d;
      double *i = factors->films.data() + m * d, *j = factors->films.data() + other * d;
      double x = factors->biases[m] - factors->biases[other];
      for (std::size_t f = 0; f < d; ++f) x += u[f] * (i[f] - j[f]);
      const double g = o.learning_rate * sigmoid(-x), shrink = o.learning_rate * o.regularisation;
      factors->biases[m] += g - shrink * factors->biases[m];
      factors->biases[other] -= g + shrink * factors->biases[other];
      for (std::size_t f = 0; f < d; ++f) {
        const double uf = u[f];
        u[f] += g * (i[f] - j[f]) - shrink * uf;
        i[f] += g * uf - shrink * i[f];
        j[f] -= g * uf + shrink * j[f];
      }
    }
  }
  return taste_of(factors);
}

std::vector<double> topic_shares(const CmlData& data, std::size_t training_end, const TopicOptions& o,
                                 Random random) {
  const std::size_t films = data.log().films.size(), words = data.plots().words(), topics = o.topics;
  struct Token {
    std::size_t word, topic;
  };
  std::vector<std::vector<Token>> documents(films);
  std::vector<double> of_word(words * topics), of_topic(topics), of_film(films * topics);
  const auto count = [&](std::size_t m, const Token& t, double by, bool learn) {
    of_film[m * topics + t.topic] += by;
    if (!learn) return;
    of_word[t.word * topics + t.topic] += by;
    of_topic[t.topic] += by;
  };
  std::vector<double> cumulated(topics);
  const auto sweep = [&](std::size_t m, bool learn) {
    for (Token& t : documents[m]) {
      count(m, t, -1, learn);
      double sum = 0;
      for (std::size_t k = 0; k < topics; ++k)
        cumulated[k] = sum += (of_film[m * topics + k] + o.alpha) * (of_word[t.word * topics + k] + o.beta) /
                              (of_topic[k] + o.beta * static_cast<double>(words));
      const double u = random.uniform() * sum;
      t.topic = std::min(topics - 1,
                         static_cast<std::size_t>(std::upper_bound(cumulated.begin(), cumulated.end(), u) -
                                                  cumulated.begin()));
      count(m, t, 1, learn);
    }
  };
  for (std::size_t m = 0; m < films; ++m)
    for (const std::string& w : words_of(data.log().films[m].plot))
      if (const std::int64_t n = data.plots().number(w); n >= 0) {
        documents[m].push_back({static_cast<std::size_t>(n), static_cast<std::size_t>(random.below(topics))});
        count(m, documents[m].back(), 1, m < training_end);
      }
  for (std::int64_t s = 0; s < o.sweeps; ++s)
    for (std::size_t m = 0; m < training_end; ++m) sweep(m, true);
  for (std::int64_t s = 0; s < 30; ++s)
    for (std::size_t m = training_end; m < films; ++m) sweep(m, false);
  std::vector<double> shares(films * topics);
  for (std::size_t m = 0; m < films; ++m)
    for (std::size_t k = 0; k < topics; ++k)
      shares[m * topics + k] =
          (of_film[m * topics + k] + o.alpha) /
          (static_cast<double>(documents[m].size()) + o.alpha * static_cast<double>(topics));
  return shares;
}

Taste by_topics(const CmlData& data, const TopicOptions& o, Random random) {
  const TicketLog& log = data.log();
  const std::size_t end = data.training().end, k = o.topics, customers = log.customers.size();
  const std::vector<double> theta = topic_shares(data, end, o, Random(random()));
  auto factors = std::make_shared<Factors>();
  factors->features = k;
  factors->customers.assign(customers * k, 0);
  std::vector<double> films(theta.begin(), theta.begin() + static_cast<std::ptrdiff_t>(end * k));
  std::vector<std::vector<std::size_t>> of_customer(customers);
  for (std::size_t m = 0; m < end; ++m)
    for (const std::int32_t c : log.attendances[m]) of_customer[static_cast<std::size_t>(c)].push_back(m);
  // One side, given the other: (b VV' + (a - b) sum over bought of vv' + lambda I) u = a sum of v (+ lambda
  // theta).
  const auto update = [&](std::vector<double>& side, const std::vector<double>& other, std::size_t others,
                          double lambda, const std::vector<double>* prior, const auto& bought) {
    std::vector<double> gram(k * k);
    for (std::size_t r = 0; r < others; ++r)
      for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j <= i; ++j) gram[i * k + j] += o.other * other[r * k + i] * other[r * k + j];
    for (std::size_t r = 0; r * k < side.size(); ++r) {
      std::vector<double> a = gram, b(k);
      for (const auto at : bought(r)) {
        const double* v = other.data() + static_cast<std::size_t>(at) * k;
        for (std::size_t i = 0; i < k; ++i) {
          b[i] += o.bought * v[i];
          for (std::size_t j = 0; j <= i; ++j) a[i * k + j] += (o.bought - o.other) * v[i] * v[j];
        }
      }
      for (std::size_t i = 0; i < k; ++i) {
        a[i * k + i] += lambda;
        if (prior) b[i] += lambda * (*prior)[r * k + i];
      }
      solve(a, b, k);
      std::copy(b.begin(), b.end(), side.begin() + static_cast<std::ptrdiff_t>(r * k));
    }
  };
  for (std::int64_t round = 0; round < o.rounds; ++round) {
    update(
        factors->customers, films, end, o.customer,
        nullptr, [&](std::size_t c) -> const auto& { return of_customer[c]; });
    if (round + 1 < o.rounds)
      update(
          films, factors->customers, customers, o.film,
          &theta, [&](std::size_t m) -> const auto& { return log.attendances[m]; });
  }
  factors->films = theta;
  return taste_of(factors);
}

}  // namespace stream::recommenders
