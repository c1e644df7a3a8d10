#include "signals/study_dictionary.hpp"

#include <array>
#include <cmath>
#include <map>

#include "signals/dictionary_baselines.hpp"
#include "signals/dictionary_learner.hpp"
#include "signals/planted.hpp"

namespace stream::signals {

namespace {

constexpr const char *kSynthetic = "synthetic", *kSweep = "sweep", *kRate = "rate", *kExact = "exact",
                     *kData = "data";
using Options = DictionaryStudy::Options;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Random seeded(const std::string& purpose, std::int64_t number, std::uint64_t seed) {
  return Random(stable_hash(purpose + '/' + std::to_string(number), seed));
}

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

Matrix learnt(const Matrix& vectors, DictionaryLearner::Options options, Matrix start) {
  options.size = vectors.cols();
  DictionaryLearner learner(options, std::move(start));
  for (std::size_t t = 0; t < vectors.rows(); ++t) learner.learn({vectors.row(t), vectors.cols()});
  return learner.dictionary();
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

/// What holds exactly, for every stream.
class ExactPart final : public StudyPart {
 public:
  explicit ExactPart(const Options& options) : options_(options) {}
  bool step() override {
    if (done_) return false;
    done_ = true;
    constexpr std::size_t kSize = 12;
    Random random = seeded("exact", 0, options_.seed);
    const Planted planted(kSize, 0.3, 0.1, random);
    const Matrix rotation = Matrix::random_orthogonal(kSize, random),
                 start = Matrix::random_orthogonal(kSize, random);
    Matrix turned_start(kSize, kSize), permuted_start = start;
    multiply(rotation, start, turned_start);
    for (std::size_t i = 0; i < kSize; ++i) {
      permuted_start(i, 0) = -start(i, 1);
      permuted_start(i, 1) = start(i, 0);
    }
    const DictionaryLearner::Options options{.size = kSize, .batch = 1};
    DictionaryLearner plain(options, start), turned(options, turned_start), permuted(options, permuted_start),
        scaled(options, start);
    std::vector<double> y(kSize), other(kSize);
    Matrix expected(kSize, kSize);
    const std::size_t bytes = plain.bytes();
    for (int t = 0; t < 600; ++t) {
      planted.draw(random, y);
      plain.learn(y);
      permuted.learn(y);
      for (std::size_t i = 0; i < kSize; ++i) {
        other[i] = 0;
        for (std::size_t k = 0; k < kSize; ++k) other[i] += rotation(i, k) * y[k];
      }
      turned.learn(other);
      for (std::size_t i = 0; i < kSize; ++i) other[i] = 7.5 * y[i];
      scaled.learn(other);
      norm_ = std::max(norm_, spectral_norm(plain.iterate()) - 1);
      gap_ = std::min(gap_, plain.gap());
      inside_ = std::max(inside_, t < 50 && t > 0 ? orthogonality_gap(plain.iterate()) : 0.0);
      orthogonal_ = std::max(orthogonal_, orthogonality_gap(plain.dictionary()));
      multiply(rotation, plain.iterate(), expected);
      turn_ = std::max(turn_, difference(expected, turned.iterate()));
      scale_ = std::max(scale_, difference(plain.iterate(), scaled.iterate()));
      expected = plain.iterate();
      for (std::size_t i = 0; i < kSize; ++i) {
        expected(i, 0) = -plain.iterate()(i, 1);
        expected(i, 1) = plain.iterate()(i, 0);
      }
      permute_ = std::max(permute_, difference(expected, permuted.iterate()));
    }
    memory_ = plain.bytes() == bytes;
    return true;
  }
  double fraction() const override { return done_ ? 1 : 0; }
  std::string progress() const override { return "exact properties"; }
  std::vector<Object> records() const override {
    const auto at_most = [](const char* what, double value, double bar) {
      return claim(what, "exact", nullptr, value, "<= " + quantity(bar), value <= bar);
    };
    return {at_most("||D||_2 - 1, greatest over 600 steps", norm_, 1e-9),
            at_most("||D'D - I|| of the output, greatest", orthogonal_, 1e-12),
            claim("||D'D - I|| of the iterate in the first steps: inside the ball", "relaxed", nullptr,
                  inside_, ">= 0.1", inside_ >= 0.1),
            claim("least gap", ">= 0", nullptr, gap_, ">= -1e-9", gap_ >= -1e-9),
            at_most("turned stream and start turn the result, greatest difference", turn_, 1e-8),
            at_most("signs and order of the start's columns stay, greatest difference", permute_, 1e-8),
            at_most("scaling the stream changes nothing, greatest difference", scale_, 1e-8),
            claim("memory independent of t", "constant", nullptr, memory_ ? "yes" : "no", "yes", memory_)};
  }

 private:
  static double difference(const Matrix& a, const Matrix& b) {
    double most = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i)
      most = std::max(most, std::abs(a.values()[i] - b.values()[i]));
    return most;
  }
  Options options_;
  bool done_ = false, memory_ = false;
  double norm_ = -1, gap_ = 1e9, inside_ = 0, orthogonal_ = 0, turn_ = 0, scale_ = 0, permute_ = 0;
};

/// Approximation of sensors and of patches that were held out.
class DataPart final : public StudyPart {
 public:
  explicit DataPart(const Options& options) : options_(options) {}
  /// One data set and seed.
  bool step() override {
    const std::int64_t seeds = std::min<std::int64_t>(3, options_.seeds);
    if (done_ == 2 * seeds) return false;
    const bool sensors = done_ < seeds;
    Random random = seeded(sensors ? "sensors" : "patches", done_ % seeds, options_.seed);
    ++done_;
    const auto count = static_cast<std::size_t>(options_.vectors);
    const std::size_t held_out = std::max<std::size_t>(100, count / 10);
    const Matrix all =
        sensors ? sensor_vectors(count + held_out, random) : patch_vectors(count + held_out, random);
    Matrix train(count, all.cols()), test(held_out, all.cols());
    for (std::size_t t = 0; t < all.rows(); ++t)
      std::copy_n(all.row(t), all.stride(), t < count ? train.row(t) : test.row(t - count));
    const std::size_t n = all.cols();
    double peak = 0;
    for (const double v : test.values()) peak = std::max(peak, std::abs(v));
    const auto psnr = [&](double error) { return 10 * std::log10(peak * peak / error); };
    auto& found = psnr_[sensors ? 0 : 1];
    const DictionaryLearner::Options method{.batch = 16, .polar_every = sensors ? 1 : 8};
    found["method"].push_back(
        psnr(sparse_error(test, learnt(train, method, Matrix::random_orthogonal(n, random)), kTerms)));
    found["DCT"].push_back(psnr(sparse_error(test, sensors ? dct_basis(n) : dct_of_patches(), kTerms)));
    found["PCA"].push_back(psnr(sparse_error(test, leading(principal_components(train), kTerms), kTerms)));
    found["PCA, any components"].push_back(psnr(sparse_error(test, principal_components(train), kTerms)));
    const Matrix start = Matrix::random_orthogonal(n, random);
    found["batch l3"].push_back(psnr(sparse_error(test, batch_ascent(train, 3, 40, start), kTerms)));
    Matrix few_train(std::min<std::size_t>(2000, count), n),
        few_test(std::min<std::size_t>(1000, held_out), n);
    for (std::size_t t = 0; t < few_train.rows(); ++t)
      std::copy_n(train.row(t), train.stride(), few_train.row(t));
    for (std::size_t t = 0; t < few_test.rows(); ++t)
      std::copy_n(test.row(t), test.stride(), few_test.row(t));
    found["K-SVD, not orthogonal"].push_back(
        psnr(pursuit_error(few_test, ksvd(few_train, kTerms, 5, start), kTerms)));
    return true;
  }
  double fraction() const override { return static_cast<double>(done_) / 6; }
  std::string progress() const override { return "data: set " + std::to_string(done_); }
  std::vector<Object> records() const override {
    std::vector<Object> out;
    for (const std::size_t set : {0, 1}) {
      const auto& found = psnr_[set];
      const std::string what = set == 0 ? "sensors" : "patches";
      const double method = mean(found.at("method")), dct = mean(found.at("DCT")),
                   pca = mean(found.at("PCA"));
      const double least = set == 0 ? 0.5 : options_.vectors >= kEnough ? -0.3 : -1.0;
      out.push_back(claim("PSNR of 6 terms over the DCT, dB: " + what, "better", quantity(dct, "dB"),
                          method - dct, ">= " + quantity(least), method - dct >= least));
      out.push_back(claim("PSNR of 6 terms over the 6 first principal components, dB: " + what, "better",
                          quantity(pca, "dB"), method - pca, ">= 1", method - pca >= 1));
      for (const auto& [name, values] : found)
        for (std::size_t s = 0; s < values.size(); ++s)
          out.push_back(point("PSNR of 6 terms by seed: " + what, name, static_cast<double>(s), values[s]));
    }
    return out;
  }

 private:
  static constexpr std::size_t kTerms = 6;
  /// Patches from which the stated bar holds; with fewer, a looser one.
  static constexpr std::int64_t kEnough = 200'000;
  static Matrix leading(const Matrix& basis, std::size_t count) {
    Matrix some(basis.rows(), count);
    for (std::size_t i = 0; i < basis.rows(); ++i) std::copy_n(basis.row(i), count, some.row(i));
    return some;
  }
  /// The DCT in the coordinates of patch_vectors: the inverse of the rotation that it is given in.
  static Matrix dct_of_patches() {
    Random fixed(63);
    return Matrix::random_orthogonal(63, fixed).transposed();
  }
  Options options_;
  std::int64_t done_ = 0;
  std::array<std::map<std::string, std::vector<double>>, 2> psnr_;
};

}  // namespace

Spec DictionaryStudy::spec() {
  return Spec("signals.study_dictionary",
              "A study: online orthogonal dictionary learning against tuned and batch methods.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{kSynthetic, kSweep, kRate, kExact, kData},
             "what is measured, in this order", choices({kSynthetic, kSweep, kRate, kExact, kData}))
      .param("seeds", std::int64_t{10}, "planted bases of each kind", range(1, 1000))
      .param("steps", std::int64_t{8192}, "mini-batches for n = 20, in proportion for greater n",
             range(16, 1e7))
      .param("vectors", std::int64_t{200'000}, "of sensors and of patches to learn from", range(1000, 1e7))
      .param("quick", false,
             "two seeds, no n = 64 and a quarter of the vectors, with a looser bar for patches")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Synthetic: recovery of planted bases for n = 8, 20, 32, 64 and three densities, one set of "
          "constants; from "
          "n = 32 on the polar factor is taken at every 2nd or 4th mini-batch. Sweep: projected gradient "
          "with five "
          "step sizes, batch l3 and l4 ascent on all vectors, online l1 (Mairal), K-SVD, and the method "
          "without "
          "averaging and without small steps. Rate: how the Frank-Wolfe gap falls. Exact: the ball, "
          "orthogonality, "
          "and what turning, permuting and scaling must do. Data: six-term approximations of sensors and of "
          "drawn "
          "patches that were held out (with fewer than 200 000 to learn from, the bar against the DCT is 1 "
          "dB below it "
          "instead of 0.3), against the DCT, principal components, batch l3 and K-SVD.")
      .paper("Xue, Lau, Online Orthogonal Dictionary Learning Based on Frank-Wolfe Method, arXiv 2103.01484")
      .example("What is exact", R"(title = "Exact properties"
[nodes.study]
use   = "signals.study_dictionary"
parts = ["exact"]

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

DictionaryStudy::DictionaryStudy(const Params& p) : StudySource(p.get<std::vector<std::string>>("parts")) {
  options_ = {.quick = p.get<bool>("quick"),
              .seeds = p.get<std::int64_t>("seeds"),
              .steps = p.get<std::int64_t>("steps"),
              .vectors = p.get<std::int64_t>("vectors"),
              .seed = p.context().seed};
  if (options_.quick) {
    options_.seeds = std::min<std::int64_t>(2, options_.seeds);
    options_.vectors = std::max<std::int64_t>(1000, options_.vectors / 4);
  }
}

std::unique_ptr<StudyPart> DictionaryStudy::part(const std::string& which) const {
  if (which == kSynthetic) return std::make_unique<SyntheticPart>(options_);
  if (which == kSweep) return std::make_unique<SweepPart>(options_);
  if (which == kRate) return std::make_unique<RatePart>(options_);
  if (which == kExact) return std::make_unique<ExactPart>(options_);
  return std::make_unique<DataPart>(options_);
}

}  // namespace stream::signals
