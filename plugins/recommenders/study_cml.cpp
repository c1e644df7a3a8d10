#include "recommenders/study_cml.hpp"

#include "recommenders/study_cml_parts.hpp"

namespace stream::recommenders {

namespace {

constexpr const char *kCmlExact = "exact", *kCmlQuality = "quality", *kCmlControl = "control";

}  // namespace

Spec CmlStudy::spec() {
  return Spec("recommenders.cml_study",
              "A study: who will see a new film, by a learnt metric, raw text, topics, film ids and habits.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{kCmlExact, kCmlQuality, kCmlControl},
             "what is measured, in this order", choices({kCmlExact, kCmlQuality, kCmlControl}))
      .param("seeds", std::int64_t{3}, "worlds and initial weights", range(1, 100))
      .param("films", std::int64_t{800}, "of each world", range(60, 1e5))
      .param("customers", std::int64_t{3000}, "of each world", range(20, 1e6))
      .param("epochs", std::int64_t{4}, "of training at the most; each arm ends after two without a gain",
             range(1, 1000))
      .param("quick", false, "one seed, 200 films, 300 customers, two epochs: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Trains on the films of the first 80 percent, tests on the last 20, which nobody has seen, for "
          "customers with three tickets or more. Every model has the same logistic for habits and budget "
          "around its taste, the same samples and the same plots. Quality: the metric (deep and linear "
          "tower) "
          "on random word vectors and on skip-gram; raw text; the nearest films; collaborative topic "
          "regression; matrix factorisation with film ids; habits and budget alone; the true utilities. "
          "Control: tickets shuffled among customers, so that there is no taste to be found.")
      .paper(
          "Campo, Espinoza, Rieger, Taliyan, Collaborative Metric Learning Recommendation System: "
          "Application "
          "to Theatrical Movie Releases, arXiv 1803.00202, 2018")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "recommenders.cml_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

CmlStudy::CmlStudy(const Params& p)
    : StudySource(parts_by_seed(p, {kCmlQuality, kCmlControl})),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      films_(quick_ ? 200 : p.get<std::int64_t>("films")),
      customers_(quick_ ? 300 : p.get<std::int64_t>("customers")),
      epochs_(quick_ ? 2 : p.get<std::int64_t>("epochs")) {}

std::unique_ptr<StudyPart> CmlStudy::part(const std::string& which) const {
  if (which == kCmlExact) return std::make_unique<CmlExactPart>(seed_);
  const std::int64_t number = seed_of_part(which);
  CmlQualityPart::Options options;
  options.name = "seed " + std::to_string(number);
  options.world.films = static_cast<std::int32_t>(films_);
  options.world.customers = static_cast<std::int32_t>(customers_);
  options.world.shuffled = which.starts_with(kCmlControl);
  options.world.seed = 1000 * seed_ + static_cast<std::uint64_t>(number);
  options.epochs = epochs_;
  options.quick = quick_;
  return std::make_unique<CmlQualityPart>(options);
}

}  // namespace stream::recommenders
