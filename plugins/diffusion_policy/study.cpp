#include "diffusion_policy/study.hpp"

#include "diffusion_policy/study_exact.hpp"
#include "diffusion_policy/study_quality.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr const char *kExact = "exact", *kTime = "time", *kQuality = "quality";

/// "quality" is a part for each training seed, called by its number.
std::vector<std::string> parts_of(const Params& p) {
  std::vector<std::string> parts;
  for (const std::string& name : p.get<std::vector<std::string>>("parts")) {
    if (name != kQuality) {
      parts.push_back(name);
      continue;
    }
    for (std::int64_t seed = 0; seed < p.get<std::int64_t>("seeds"); ++seed)
      parts.push_back(std::to_string(seed));
  }
  return parts;
}

}  // namespace

Spec DiffusionPolicyStudy::spec() {
  return Spec("diffusion_policy.study",
              "A study: the rolling buffer against a diffusion policy, DDIM and behaviour cloning.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", \"series\", \"x\", \"y\"}")
      .path("model", "models/gate-world-streaming-0.h5",
            "the first of the policies that `diffusion_policy.train` wrote; the others lie beside it, with "
            "-diffusion- "
            "and -cloning- for -streaming-, and other seeds for 0")
      .param("environment", "gate-world", "what they were trained for: gate-world or twin-track")
      .param("seeds", 2, "training seeds, from 0 on", range(1, 100))
      .param("episodes", 200, "held out, for each policy and sampler", range(1, 1e5))
      .param("parts", std::vector<std::string>{kExact, kTime, kQuality}, "what is measured, in this order",
             choices({kExact, kTime, kQuality}))
      .param("quick", false, "a tenth of the episodes and of one training seed, the same bars")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Exact: N/h network calls in every call where the diffusion policy needs N, constant state, a "
          "buffer "
          "that is carried over, and plain DDPM sampling bit for bit when there is one chunk. Time: at most "
          "0.35 of the diffusion policy's.\n\n"
          "Quality: the same data, network and number of training steps for all. In held-out episodes the "
          "diffusion policy must reach 0.80 itself; streaming may lose 0.05 against it, must be 0.10 better "
          "than behaviour cloning, may lose 0.03 against DDIM with as many network calls, changes sides less "
          "often than the diffusion policy, keeps both ways of passing (20 to 80 % left), and is worth at "
          "least 0.10 over the same buffer with a network that was trained on one amount of noise alone.")
      .paper(
          "Hoeg, Du, Egeland, Streaming Diffusion Policy: Fast Policy Synthesis with Variable Noise "
          "Diffusion "
          "Models, arXiv 2406.04806")
      .example("Its exact part", R"(title = "Half the network calls and fewer"
[nodes.study]
use = "diffusion_policy.study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

DiffusionPolicyStudy::DiffusionPolicyStudy(const Params& p)
    : StudySource(parts_of(p)),
      context_(p.context()),
      environment_(p.get<std::string>("environment")),
      seeds_(p.get<std::int64_t>("seeds")),
      episodes_(p.get<std::int64_t>("episodes")) {
  constexpr std::string_view kFirst = "-streaming-0.h5";
  models_ = p.input_path("model");
  if (!models_.ends_with(kFirst))
    throw bad_recipe("model is '" + models_ + "', expected a name that ends in " + std::string(kFirst));
  models_.resize(models_.size() - kFirst.size());
  if (p.get<bool>("quick")) episodes_ = std::max<std::int64_t>(1, episodes_ / 10);
}

std::unique_ptr<StudyPart> DiffusionPolicyStudy::part(const std::string& which) const {
  if (which == kExact || which == kTime)
    return std::make_unique<ExactPart>(
        ExactPart::Options{.streaming = load_policy(models_ + "-streaming-0.h5"),
                           .diffusion = load_policy(models_ + "-diffusion-0.h5"),
                           .calls = which == kTime ? 40 : 10,
                           .time = which == kTime,
                           .seed = context_.seed});
  return std::make_unique<QualityPart>(QualityPart::Options{.models = models_,
                                                            .seed = std::stoll(which),
                                                            .environment = environment_,
                                                            .episodes = episodes_,
                                                            .held_out = context_.seed + 1000003,
                                                            .context = context_});
}

}  // namespace stream::diffusion_policy
