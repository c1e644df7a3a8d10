#include "recommenders/study_attributes.hpp"

#include "recommenders/study_attributes_parts.hpp"

namespace stream::recommenders {

namespace {

constexpr const char *kAttributesExact = "exact", *kAttributesStatistics = "statistics",
                     *kAttributesQuality = "quality", *kAttributesFew = "few";

}  // namespace

Spec AttributesStudy::spec() {
  return Spec("recommenders.attributes_study",
              "A study: what playlists give away, by a DeepSet over them against averages of them.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts",
             std::vector<std::string>{kAttributesExact, kAttributesStatistics, kAttributesQuality,
                                      kAttributesFew},
             "what is measured, in this order",
             choices({kAttributesExact, kAttributesStatistics, kAttributesQuality, kAttributesFew}))
      .param("seeds", std::int64_t{3}, "worlds and initial weights", range(1, 100))
      .param("users", std::int64_t{2000}, "of each world of the part quality", range(50, 1e6))
      .param("few_users", std::int64_t{740}, "of each world of the part few: as many as the paper has",
             range(50, 1e6))
      .param("epochs", std::int64_t{60}, "of training at the most; each arm ends after ten without a gain",
             range(1, 1000))
      .param("quick", false,
             "one seed, 100 users, 2 epochs, 2 seeds of statistics: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Quality: listeners split 70/10/20, balanced accuracy on the test. The DeepSet, and the same with "
          "the "
          "mean alone; the same network on the mean of the playlists; logistic regression on the mean; a "
          "random "
          "forest of 200 trees on mean and deviation; regression on single playlists whose votes are "
          "averaged; "
          "the most frequent class. Attributes that are coins prove that nothing leaks. Few: the same at the "
          "paper's number of listeners. Statistics: planted pairs of features and attributes among many, by "
          "Mann "
          "and Whitney under Benjamini and Hochberg's correction.")
      .paper(
          "Tricomi, Pajola, Pasa, Conti, 'All of Me': Mining Users' Attributes from their Public Spotify "
          "Playlists, arXiv 2401.14296, 2024; Zaheer et al., Deep Sets, NIPS 2017")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "recommenders.attributes_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

AttributesStudy::AttributesStudy(const Params& p)
    : StudySource(parts_by_seed(p, {kAttributesQuality, kAttributesFew})),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      users_(quick_ ? 100 : p.get<std::int64_t>("users")),
      few_(quick_ ? 100 : p.get<std::int64_t>("few_users")),
      epochs_(quick_ ? 2 : p.get<std::int64_t>("epochs")) {}

std::unique_ptr<StudyPart> AttributesStudy::part(const std::string& which) const {
  if (which == kAttributesExact) return std::make_unique<AttributesExactPart>(seed_);
  if (which == kAttributesStatistics)
    return std::make_unique<AttributesStatisticsPart>(seed_, quick_ ? 2 : 50, quick_);
  const std::int64_t number = seed_of_part(which);
  AttributesQualityPart::Options options;
  options.small = which.starts_with(kAttributesFew);
  const std::int64_t users = options.small ? few_ : users_;
  options.name = std::to_string(users) + " listeners, seed " + std::to_string(number);
  options.world.users = static_cast<std::int32_t>(users);
  options.world.seed = 1000 * seed_ + static_cast<std::uint64_t>(number) + (options.small ? 500 : 0);
  options.epochs = epochs_;
  options.quick = quick_;
  return std::make_unique<AttributesQualityPart>(options);
}

}  // namespace stream::recommenders
