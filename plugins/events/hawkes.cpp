#include "events/hawkes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace stream::events {

namespace {

/// What the events so far excite: decays between events, jumps at them.
struct Excitation {
  const Hawkes& process;
  std::vector<double> level;
  explicit Excitation(const Hawkes& h) : process(h), level(h.mu.size()) {}
  void pass(double time) {
    for (double& v : level) v *= std::exp(-process.b * time);
  }
  void jump(std::int32_t type) {
    for (std::size_t k = 0; k < level.size(); ++k)
      level[k] += process.a[static_cast<std::size_t>(type)][k] * process.b;
  }
  double total() const {
    return std::accumulate(level.begin(), level.end(),
                           std::accumulate(process.mu.begin(), process.mu.end(), 0.0));
  }
};

/// x with (I - a^T) x = mu.
std::vector<double> stationary(const std::vector<double>& mu, const std::vector<std::vector<double>>& a) {
  std::vector<double> x = mu;
  for (int i = 0; i < 400; ++i) {
    std::vector<double> next = mu;
    for (std::size_t j = 0; j < mu.size(); ++j)
      for (std::size_t k = 0; k < mu.size(); ++k) next[k] += a[j][k] * x[j];
    x = next;
  }
  return x;
}

double spectral_radius(const std::vector<std::vector<double>>& a) {
  std::vector<double> x(a.size(), 1);
  double radius = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<double> y(a.size());
    for (std::size_t j = 0; j < a.size(); ++j)
      for (std::size_t k = 0; k < a.size(); ++k) y[k] += a[j][k] * x[j];
    radius = *std::max_element(y.begin(), y.end());
    for (std::size_t k = 0; k < a.size(); ++k) x[k] = y[k] / radius;
  }
  return radius;
}

}  // namespace

Sequence Hawkes::simulate(std::size_t count, Random& random) const {
  Sequence out;
  Excitation excited(*this);
  double now = 0;
  while (out.size() < count) {
    const double bound = excited.total();  // it only falls until the next event
    const double gap = -std::log(1 - random.uniform()) / bound;
    now += gap;
    excited.pass(gap);
    double u = random.uniform() * bound;
    for (std::size_t k = 0; k < mu.size(); ++k) {
      u -= mu[k] + excited.level[k];
      if (u >= 0) continue;
      out.push_back({now, static_cast<std::int32_t>(k)});
      excited.jump(static_cast<std::int32_t>(k));
      break;
    }
  }
  const double first = out.front().time;
  for (TypedEvent& e : out) e.time -= first;
  return out;
}

std::vector<double> Hawkes::compensator(const Sequence& sequence) const {
  std::vector<double> out;
  Excitation excited(*this);
  const double base = std::accumulate(mu.begin(), mu.end(), 0.0);
  for (std::size_t i = 0; i + 1 < sequence.size(); ++i) {
    excited.jump(sequence[i].type);
    const double gap = sequence[i + 1].time - sequence[i].time;
    out.push_back(base * gap + (excited.total() - base) * (1 - std::exp(-b * gap)) / b);
    excited.pass(gap);
  }
  return out;
}

double Hawkes::log_likelihood(const Sequence& sequence) const {
  const auto integrals = compensator(sequence);
  double sum = -std::accumulate(integrals.begin(), integrals.end(), 0.0);
  Excitation excited(*this);
  for (std::size_t i = 1; i < sequence.size(); ++i) {
    excited.jump(sequence[i - 1].type);
    excited.pass(sequence[i].time - sequence[i - 1].time);
    const auto k = static_cast<std::size_t>(sequence[i].type);
    sum += std::log(mu[k] + excited.level[k]);
  }
  return sum;
}

double Hawkes::gap_error(std::span<const Sequence> sequences, double horizon, std::int64_t points) const {
  const double base = std::accumulate(mu.begin(), mu.end(), 0.0);
  double squares = 0, events = 0;
  for (const Sequence& s : sequences) {
    Excitation excited(*this);
    for (std::size_t i = 0; i + 1 < s.size(); ++i) {
      excited.jump(s[i].type);
      const double level = excited.total() - base, step = horizon / static_cast<double>(points - 1);
      double mean = 0, before = 1;
      for (std::int64_t p = 1; p < points; ++p) {
        const double t = step * static_cast<double>(p);
        const double survival = std::exp(-base * t - level * (1 - std::exp(-b * t)) / b);
        mean += step * (before + survival) / 2;
        before = survival;
      }
      const double gap = s[i + 1].time - s[i].time;
      squares += std::pow(mean - std::min(gap, horizon), 2), ++events;
      excited.pass(gap);
    }
  }
  return std::sqrt(squares / events);
}

double Hawkes::types_foretold(const Sequence& sequence) const {
  Excitation excited(*this);
  double right = 0;
  for (std::size_t i = 1; i < sequence.size(); ++i) {
    excited.jump(sequence[i - 1].type);
    excited.pass(sequence[i].time - sequence[i - 1].time);
    std::size_t best = 0;
    for (std::size_t k = 1; k < mu.size(); ++k)
      if (mu[k] + excited.level[k] > mu[best] + excited.level[best]) best = k;
    right += best == static_cast<std::size_t>(sequence[i].type) ? 1 : 0;
  }
  return right / static_cast<double>(sequence.size() - 1);
}

std::vector<Hawkes> hawkes_regimes(std::size_t types, std::uint64_t seed) {
  Random random(stable_hash("regimes " + std::to_string(seed)));
  std::vector<std::size_t> chain(types);
  std::iota(chain.begin(), chain.end(), std::size_t{0});
  for (std::size_t i = types; i > 1; --i) std::swap(chain[i - 1], chain[random.below(i)]);
  std::vector<std::vector<double>> a(types, std::vector<double>(types));
  for (std::size_t i = 0; i < types; ++i) a[chain[i]][chain[(i + 1) % types]] = 0.4;
  for (auto& row : a)
    for (double& v : row) v += random.uniform(0, 0.02);
  const double radius = spectral_radius(a);
  for (auto& row : a)
    for (double& v : row) v *= 0.4 / radius;
  const double decays[] = {1, 2, 4, 2, 3, 2};
  std::vector<Hawkes> out;
  for (std::size_t r = 0; r < types; ++r) {
    Hawkes h{std::vector<double>(types, 1), a, decays[r % std::size(decays)]};
    h.mu[r] = 15;
    const auto rates = stationary(h.mu, a);
    const double total = std::accumulate(rates.begin(), rates.end(), 0.0);
    for (double& m : h.mu) m /= total;
    out.push_back(std::move(h));
  }
  return out;
}

}  // namespace stream::events
