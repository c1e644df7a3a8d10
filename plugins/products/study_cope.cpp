#include "products/study_cope.hpp"

#include "products/study_cope_parts.hpp"

namespace stream::products {

namespace {

constexpr const char *kExact = "exact", *kQuality = "quality";

}  // namespace

Spec CopeStudy::spec() {
  return Spec("products.cope_study",
              "A study: products found across domains by COPE, and by training on pages, pictures, text, or "
              "within domains.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{kExact, kQuality}, "what is measured, in this order",
             choices({kExact, kQuality}))
      .param("seeds", std::int64_t{3}, "worlds and initial weights", range(1, 100))
      .param("products", std::int64_t{600}, "of each world", range(24, 3000))
      .param("unseen", std::int64_t{100}, "of them, for the test alone", range(8, 1000))
      .param("clips", std::int64_t{6}, "pages, videos and live streams of each product in training",
             range(1, 50))
      .param("epochs", std::int64_t{150},
             "of training, of each arm: ten updates each with 500 products to learn from", range(1, 10000))
      .param("quick", false, "one seed, 60 products, two epochs: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Every arm has the same products, clips, network, updates and batches. Tested are products that no "
          "arm has seen, two new clips of each in each domain, near twins among them: rank-1 over the six "
          "directions between pages, videos and live streams, chance being one in the number of products. "
          "Baselines that train no fused vector are searched by whichever of their vectors does best. The "
          "control trains COPE on clips that were dealt out to products at random. A seed is some twenty "
          "minutes "
          "of one core.")
      .paper(
          "Bai, Li, Cheng, Yang, Chen, Li, Cross-Domain Product Representation Learning for Rich-Content "
          "E-Commerce, ICCV 2023")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "products.cope_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

CopeStudy::CopeStudy(const Params& p)
    : StudySource(parts_by_seed(p, {kQuality})),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      products_(quick_ ? 60 : p.get<std::int64_t>("products")),
      unseen_(quick_ ? 20 : p.get<std::int64_t>("unseen")),
      epochs_(quick_ ? 2 : p.get<std::int64_t>("epochs")),
      clips_(quick_ ? 2 : p.get<int>("clips")) {}

std::unique_ptr<StudyPart> CopeStudy::part(const std::string& which) const {
  if (which == kExact) return std::make_unique<CopeExactPart>(seed_);
  const std::int64_t number = seed_of_part(which);
  CopeQualityPart::Options options;
  options.name = "seed " + std::to_string(number);
  options.world.products = static_cast<std::int32_t>(products_);
  options.world.unseen = static_cast<std::int32_t>(unseen_);
  if (quick_ || products_ < 200 || unseen_ < 32) options.world.twin_groups = 4;
  options.world.seed = 1000 * seed_ + static_cast<std::uint64_t>(number);
  options.epochs = epochs_;
  options.clips = clips_;
  options.quick = quick_;
  return std::make_unique<CopeQualityPart>(options);
}

}  // namespace stream::products
