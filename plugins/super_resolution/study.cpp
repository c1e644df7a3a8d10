#include "super_resolution/study.hpp"

#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

constexpr const char *kExact = "exact", *kQuality = "quality", *kRate = "rate";

/// Channels of the network whose size comes nearest to that of `models` of this one.
int equal_bytes(WdsrShape shape, int models) {
  const std::int64_t wanted = models * shape.parameters();
  std::int64_t before = 0;
  for (;; ++shape.features) {
    const std::int64_t now = shape.parameters();
    if (now >= wanted) return wanted - before < now - wanted ? shape.features - 1 : shape.features;
    before = now;
  }
}

}  // namespace

Spec SuperresStudy::spec() {
  return Spec("superres.study",
              "A study: models for equally hard patches against one model, time chunks, CaFM and chance.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, points of "
                      "curves {\"plot\", "
                      "\"series\", \"x\", \"y\"}, and pictures {\"picture\", \"png\"}")
      .path("general", "models/superres-x4.h5", "the general model M0 that all start from")
      .param("parts", std::vector<std::string>{kExact, kQuality, kRate}, "what is measured, in this order",
             choices({kExact, kQuality, kRate}))
      .param("clips", std::vector<std::string>{"mixed", "cut", "talk"}, "made-up videos (video_world.clip)")
      .param("frames", 90, "of each clip", range(4, 100000))
      .param("steps", 3000, "updates of each method on each clip, over all its models", range(1, 1e9))
      .param("learning_rate", 1e-3, "of Adam for every method, at the beginning; half a cosine down to 4e-8",
             range(1e-9, 1.0))
      .param("models", 4, "k", range(2, 255))
      .param("share", 0.5, "a of J-STDO: part j is shown with a^j in each epoch", range(0.0, 1.0))
      .param("crf", 23.0, "of the LR video whose bytes, with models and map, are held against x264 of HR",
             range(0.0, 51.0))
      .param("quick", false, "one clip, a quarter of its frames, a twentieth of the updates, and looser bars")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "HR is 320x192, LR a quarter of it each way, patches are 32x32 of HR. Every method starts from M0, "
          "makes the "
          "same number of updates in all with batches of as many patches, stores its weights in 16 bits and "
          "is measured "
          "with those, rounded to 8 bits, over whole frames, PSNR from the pooled squared error. Bytes of "
          "models and map "
          "and multiply-adds for each HR pixel stand beside every figure. The one model of equal bytes "
          "starts as a network of "
          "more channels that computes what M0 does.\n\n"
          "Bars are for patches that see nothing around themselves, as in the paper; beside each stands what "
          "the "
          "same networks "
          "give when patches see their receptive field, and without the borders of patches (shaved). At the "
          "end LR by "
          "x264 with models and map, trained on what a viewer has after decoding, stands against HR by x264 "
          "in as "
          "many bytes.")
      .paper(
          "Li, Ji, Qin, Niu, Ren, Afghah, Guo, Ma, Towards High-Quality and Efficient Video Super-Resolution "
          "via "
          "Spatial-Temporal Data Overfitting, CVPR 2023")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "superres.study"
parts = ["exact"]
frames = 4
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

SuperresStudy::SuperresStudy(const Params& p)
    : StudySource(p.get<std::vector<std::string>>("parts")),
      setting_{p.get<std::vector<std::string>>("clips"),
               p.get<int>("frames"),
               320,
               192,
               10,
               6,
               p.get<int>("models"),
               p.get<std::int64_t>("steps"),
               p.get<double>("share"),
               load_wdsr(p.input_path("general")),
               nullptr,
               p.context().seed,
               p.get<double>("learning_rate"),
               p.get<double>("crf")},
      quick_(p.get<bool>("quick")) {
  if (setting_.general->shape().scale != 4) throw bad_recipe("the study is for a scale of 4");
  setting_.wide = widened(*setting_.general, equal_bytes(setting_.general->shape(), setting_.models),
                          nn::generator(p.random("wide")()));
  if (setting_.clips.empty()) throw bad_recipe("clips is empty: a study of nothing shows nothing");
  if (!quick_) return;
  setting_.clips.resize(1);
  setting_.frames = std::max(8, setting_.frames / 4);
  setting_.steps = std::max<std::int64_t>(1, setting_.steps / 20);
}

std::unique_ptr<StudyPart> SuperresStudy::part(const std::string& which) const {
  if (which == kExact) return std::make_unique<ExactStudy>(setting_);
  if (which == kRate) return std::make_unique<RateStudy>(setting_);
  return std::make_unique<QualityStudy>(setting_, quick_);
}

}  // namespace stream::super_resolution
