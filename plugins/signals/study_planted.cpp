/// Synthetic, sweep and rate: bases that were planted, so that it is known what there is to find.
#include "signals/study_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "signals/dictionary_baselines.hpp"
#include "signals/planted.hpp"

namespace stream::signals {

namespace {

using Options = DictionaryStudy::Options;

/// `count` vectors of a planted basis, none of them all zero.
Matrix drawn(const Planted& planted, std::size_t count, Random& random) {
  Matrix vectors(count, planted.size());
  for (std::size_t t = 0; t < count; ++t) {
    const std::span<double> y(vectors.row(t), planted.size());
    do planted.draw(random, y);
    while (std::all_of(y.begin(), y.end(), [](double v) { return v == 0; }));
  }
  return vectors;
}

/// Sizes and mini-batches of the recovery bars. From n = 32 on a direction serves several mini-batches.
struct Size {
  std::size_t n, batch;
  std::int64_t polar_every;
  std::int64_t steps(const Options& o) const {
    return n <= 20 ? o.steps : o.steps * static_cast<std::int64_t>(n) / 20;
  }
};
constexpr std::array kSizes = {Size{8, 4, 1}, Size{20, 4, 1}, Size{32, 8, 2}, Size{64, 16, 4}};
constexpr std::array kDensities = {0.1, 0.2, 0.3};

/// Recovery of planted bases, one set of constants for all.
class SyntheticPart final : public StudyPart {
 public:
  explicit SyntheticPart(const Options& options) : options_(options) {}
  bool step() override {
    if (done_ == settings()) return false;
    const Size size = kSizes[done_ / kDensities.size()];
    const double density = kDensities[done_ % kDensities.size()];
    ++done_;
    auto& errors = errors_.emplace_back();
    for (std::int64_t s = 0; s < options_.seeds; ++s) {
      Random random = seeded("recovery", s, options_.seed);
      const Planted planted(size.n, density, 0, random);
      Matrix start = Matrix::random_orthogonal(size.n, random);
      const Matrix vectors =
          drawn(planted, size.batch * static_cast<std::size_t>(size.steps(options_)), random);
      errors.push_back(recovery_error(
          learnt(vectors, {.batch = size.batch, .polar_every = size.polar_every}, std::move(start)),
          planted.basis()));
    }
    return true;
  }
  double fraction() const override { return static_cast<double>(done_) / static_cast<double>(settings()); }
  std::string progress() const override {
    return "recovery: " + std::to_string(done_) + " of " + std::to_string(settings()) + " settings";
  }
  std::vector<Object> records() const override {
    std::vector<Object> out;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      const Size size = kSizes[i / kDensities.size()];
      const double worst = *std::max_element(errors_[i].begin(), errors_[i].end());
      const std::string where =
          "n = " + std::to_string(size.n) + ", density " + quantity(kDensities[i % kDensities.size()]);
      out.push_back(
          claim("recovery error, worst of " + std::to_string(errors_[i].size()) + " seeds: " + where,
                "recovers", "mean " + quantity(mean(errors_[i])), worst, "<= 0.002", worst <= 0.002));
      for (std::size_t s = 0; s < errors_[i].size(); ++s)
        out.push_back(point("recovery error by seed", where, static_cast<double>(s), errors_[i][s]));
    }
    return out;
  }

 private:
  std::size_t settings() const { return (kSizes.size() - (options_.quick ? 1 : 0)) * kDensities.size(); }
  Options options_;
  std::size_t done_ = 0;
  std::vector<std::vector<double>> errors_;
};

/// Against projected gradient under a sweep of steps, batch methods, and the method without its parts.
class SweepPart final : public StudyPart {
 public:
  explicit SweepPart(const Options& options) : options_(options) {}
  /// One seed.
  bool step() override {
    if (done_ == options_.seeds) return false;
    constexpr std::size_t kSize = 20, kBatch = 4;
    Random random = seeded("sweep", done_++, options_.seed);
    const Planted planted(kSize, 0.2, 0, random);
    const Matrix start = Matrix::random_orthogonal(kSize, random);
    const Matrix vectors = drawn(planted, kBatch * static_cast<std::size_t>(options_.steps), random);
    const auto add = [&](const std::string& name, const Matrix& d) {
      errors_[name].push_back(recovery_error(d, planted.basis()));
    };
    add("method", learnt(vectors, {.batch = kBatch}, start));
    add("method, l4", learnt(vectors, {.batch = kBatch, .power = 4}, start));
    add("no averaging", learnt(vectors, {.batch = kBatch, .average = false}, start));
    add("full steps", learnt(vectors, {.batch = kBatch, .average = false, .small_steps = false}, start));
    for (const double c : kSteps)
      add("projected gradient, c = " + quantity(c), projected_gradient(vectors, kBatch, c, start));
    add("batch l3", batch_ascent(vectors, 3, 60, start));
    add("batch l4 (MSP)", batch_ascent(vectors, 4, 60, start));
    add("online l1 (Mairal)", polar(l1_dictionary(vectors, 16, 0.2, start), start));
    add("K-SVD", polar(ksvd(few(vectors), 4, 15, start), start));
    return true;
  }
  double fraction() const override {
    return static_cast<double>(done_) / static_cast<double>(options_.seeds);
  }
  std::string progress() const override { return "sweep: seed " + std::to_string(done_); }
  std::vector<Object> records() const override {
    std::vector<Object> out;
    double best = 1e9;
    std::string steps;
    for (const double c : kSteps) {
      const double error = mean(errors_.at("projected gradient, c = " + quantity(c)));
      best = std::min(best, error);
      steps += (steps.empty() ? "c = " : ", ") + quantity(c) + ": " + quantity(error);
    }
    const double method = mean(errors_.at("method"));
    out.push_back(claim("recovery error / that of the best of five step sizes of projected gradient",
                        "no step to tune", steps, method / best, "<= 1.5", method <= 1.5 * best));
    // The same objective on all vectors at once is the most that can be had of them.
    const struct {
      const char* name;
      double bar;
    } kBatch[] = {{"batch l4 (MSP)", 3}, {"batch l3", 5}};
    for (const auto& [name, bar] : kBatch) {
      const double batch = mean(errors_.at(name));
      out.push_back(claim("recovery error / that of " + std::string(name) + " on all stored vectors",
                          "online", batch, method / batch, "<= " + quantity(bar), method <= bar * batch));
    }
    const double full = mean(errors_.at("full steps"));
    out.push_back(claim("recovery error of full steps without averaging: an ablation that fails", nullptr,
                        "method " + quantity(method) + "; small steps without averaging " +
                            quantity(mean(errors_.at("no averaging"))),
                        full, ">= 0.05", full >= 0.05));
    for (const char* other : {"online l1 (Mairal)", "K-SVD"}) {
      const double error = mean(errors_.at(other));
      out.push_back(claim("recovery error against that of " + std::string(other), nullptr, error, method,
                          "<= 0.002", method <= 0.002));
    }
    for (const auto& [name, errors] : errors_)
      for (std::size_t s = 0; s < errors.size(); ++s)
        out.push_back(point("log10 recovery error by seed, n = 20", name, static_cast<double>(s),
                            std::log10(errors[s] + 1e-12)));
    return out;
  }

 private:
  static constexpr std::array kSteps = {0.2, 0.5, 1.0, 2.0, 5.0};
  /// K-SVD sees the first 4000: it runs over them again and again.
  static Matrix few(const Matrix& vectors) {
    Matrix some(std::min<std::size_t>(4000, vectors.rows()), vectors.cols());
    for (std::size_t t = 0; t < some.rows(); ++t) std::copy_n(vectors.row(t), vectors.stride(), some.row(t));
    return some;
  }
  Options options_;
  std::int64_t done_ = 0;
  std::map<std::string, std::vector<double>> errors_;
};

/// How the Frank-Wolfe gap falls, on vectors that nobody learns from.
class RatePart final : public StudyPart {
 public:
  explicit RatePart(const Options& options) : options_(options) {}
  /// One seed.
  bool step() override {
    if (done_ == std::min<std::int64_t>(3, options_.seeds)) return false;
    constexpr std::size_t kSize = 20, kBatch = 4, kHeldOut = 20'000;
    Random random = seeded("rate", done_++, options_.seed);
    const Planted planted(kSize, 0.2, 0, random);
    const Matrix held_out = drawn(planted, kHeldOut, random);
    DictionaryLearner learner({.size = kSize, .batch = kBatch}, Matrix::random_orthogonal(kSize, random));
    std::vector<double> y(kSize);
    double best = 1e9, sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0;
    for (double next = 100; learner.steps() < 10'000;) {
      planted.draw(random, y);
      if (!learner.learn(y) || static_cast<double>(learner.steps()) < next) continue;
      next *= 1.25;
      best = std::min(best, learner.gap_on(held_out));
      const double x = std::log10(static_cast<double>(learner.steps())), z = std::log10(best);
      points_.emplace_back("seed " + std::to_string(done_ - 1), x, z);
      sx += x, sy += z, sxx += x * x, sxy += x * z, n += 1;
    }
    slopes_.push_back((n * sxy - sx * sy) / (n * sxx - sx * sx));
    return true;
  }
  double fraction() const override { return static_cast<double>(done_) / 3; }
  std::string progress() const override { return "rate: seed " + std::to_string(done_); }
  std::vector<Object> records() const override {
    const double worst = *std::max_element(slopes_.begin(), slopes_.end());
    std::vector<Object> out{claim("slope of log10 best gap over log10 t, 10^2 to 10^4, flattest of " +
                                      std::to_string(slopes_.size()) + " seeds",
                                  "-1/4 up to ln t", "mean " + quantity(mean(slopes_)), worst, "<= -0.25",
                                  worst <= -0.25)};
    for (const auto& [series, x, y] : points_)
      out.push_back(point("log10 of the best gap so far, by log10 t", series, x, y));
    return out;
  }

 private:
  Options options_;
  std::int64_t done_ = 0;
  std::vector<double> slopes_;
  std::vector<std::tuple<std::string, double, double>> points_;
};

}  // namespace

std::unique_ptr<StudyPart> synthetic_part(const Options& options) {
  return std::make_unique<SyntheticPart>(options);
}
std::unique_ptr<StudyPart> sweep_part(const Options& options) { return std::make_unique<SweepPart>(options); }
std::unique_ptr<StudyPart> rate_part(const Options& options) { return std::make_unique<RatePart>(options); }

}  // namespace stream::signals
