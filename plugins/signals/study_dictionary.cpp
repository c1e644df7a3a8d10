#include "signals/study_dictionary.hpp"

#include "signals/study_parts.hpp"

namespace stream::signals {

namespace {
constexpr const char *kSynthetic = "synthetic", *kSweep = "sweep", *kRate = "rate", *kExact = "exact",
                     *kData = "data";
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

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Random seeded(const std::string& purpose, std::int64_t number, std::uint64_t seed) {
  return Random(stable_hash(purpose + '/' + std::to_string(number), seed));
}

Matrix learnt(const Matrix& vectors, DictionaryLearner::Options options, Matrix start) {
  options.size = vectors.cols();
  DictionaryLearner learner(options, std::move(start));
  for (std::size_t t = 0; t < vectors.rows(); ++t) learner.learn({vectors.row(t), vectors.cols()});
  return learner.dictionary();
}

std::unique_ptr<StudyPart> DictionaryStudy::part(const std::string& which) const {
  if (which == kSynthetic) return synthetic_part(options_);
  if (which == kSweep) return sweep_part(options_);
  if (which == kRate) return rate_part(options_);
  if (which == kExact) return exact_part(options_);
  return data_part(options_);
}

}  // namespace stream::signals