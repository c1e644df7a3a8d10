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

}  // namespace

std::unique_ptr<StudyPart> exact_part(const Options& options) { return std::make_unique<ExactPart>(options); }

}  // namespace stream::signals
