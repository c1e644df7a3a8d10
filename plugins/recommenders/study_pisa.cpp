#include "recommenders/study_pisa.hpp"

#include "recommenders/study_pisa_quality.hpp"

namespace stream::recommenders {

namespace {

constexpr const char *kPisaExact = "exact", *kPisaQuality = "quality", *kPisaControl = "control";

}  // namespace

Spec PisaStudy::spec() {
  return Spec("recommenders.pisa_study",
              "A study: memory-weighted sessions against plain means, SASRec and counting.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{kPisaExact, kPisaQuality, kPisaControl},
             "what is measured, in this order", choices({kPisaExact, kPisaQuality, kPisaControl}))
      .param("seeds", std::int64_t{3}, "worlds and initial weights", range(1, 100))
      .param("users", std::int64_t{400}, "of each world", range(10, 1e5))
      .param("sessions", std::int64_t{120}, "of each user", range(20, 1e4))
      .param("epochs", std::int64_t{20}, "of training at the most; each arm ends after five without a gain",
             range(1, 1000))
      .param("features", std::int64_t{64}, "numbers in an item's vector", range(4, 512))
      .param("quick", false,
             "one seed, 60 users of 60 sessions, 16 features, two epochs: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Quality: PISA, the same network with plain means of sessions, and SASRec on sequences of items, "
          "each "
          "with the same items' vectors to start from, data, batches, epochs at the most and choice by "
          "validation; counts of the user, the base level alone and popularity. NDCG@10 over the whole "
          "catalogue, "
          "on the last ten sessions of each user. Control: in a world whose repeats know no time, the gain "
          "over "
          "plain means must vanish.")
      .paper(
          "Tran, Salha-Galvan, Sguerra, Hennequin, Transformers Meet ACT-R: Repeat-Aware and Sequential "
          "Listening "
          "Session Recommendation, RecSys 2024, arXiv 2408.16578")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "recommenders.pisa_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

PisaStudy::PisaStudy(const Params& p)
    : StudySource(parts_by_seed(p, {kPisaQuality, kPisaControl})),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      users_(quick_ ? 60 : p.get<std::int64_t>("users")),
      sessions_(quick_ ? 60 : p.get<std::int64_t>("sessions")),
      epochs_(quick_ ? 2 : p.get<std::int64_t>("epochs")),
      features_(quick_ ? 16 : p.get<std::int64_t>("features")) {}

std::unique_ptr<StudyPart> PisaStudy::part(const std::string& which) const {
  if (which == kPisaExact) return std::make_unique<PisaExactPart>(seed_);
  const bool control = which.starts_with(kPisaControl);
  const std::int64_t number = seed_of_part(which);
  PisaQualityPart::Options options;
  options.name = "seed " + std::to_string(number);
  options.world.users = static_cast<std::int32_t>(users_);
  options.world.sessions = static_cast<std::int32_t>(sessions_);
  options.world.memory = !control;
  options.world.seed = 1000 * seed_ + static_cast<std::uint64_t>(number);
  options.epochs = epochs_;
  options.features = features_;
  options.control = control;
  options.quick = quick_;
  return std::make_unique<PisaQualityPart>(options);
}

}  // namespace stream::recommenders
