#include "diffusion_policy/study.hpp"

#include <filesystem>

#include "diffusion_policy/study_exact.hpp"
#include "diffusion_policy/study_quality.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr const char *kExact = "exact", *kTime = "time", *kQuality = "quality";

constexpr std::string_view kFirst = "-streaming-0.h5";

std::string task_of(const std::string& environment) { return environment.substr(0, environment.find(' ')); }

/// Where the policies for a task begin: those of the first task as `model` says, those of others beside them
/// under the task's name.
std::string models_of(const Params& p, std::size_t task) {
  const std::string model = p.input_path("model");
  if (!model.ends_with(kFirst))
    throw bad_recipe("model is '" + model + "', expected a name that ends in " + std::string(kFirst));
  if (task == 0) return model.substr(0, model.size() - kFirst.size());
  return model.substr(0, model.rfind('/') + 1) + task_of(p.get<std::vector<std::string>>("tasks").at(task));
}

/// "quality" is a part for each task and training seed, called by their numbers, "2 0".
std::vector<std::string> parts_of(const Params& p) {
  const auto tasks = p.get<std::vector<std::string>>("tasks");
  if (tasks.empty()) throw bad_recipe("tasks is empty, expected at least one environment");
  std::vector<std::string> parts;
  for (const std::string& name : p.get<std::vector<std::string>>("parts")) {
    if (name != kQuality) {
      parts.push_back(name);
      continue;
    }
    const std::size_t tried = p.get<bool>("quick") ? 1 : tasks.size();
    for (std::size_t t = 0; t < tried; ++t)
      for (std::int64_t seed = 0; seed < p.get<std::int64_t>("seeds"); ++seed) {
        const std::string file = models_of(p, t) + "-streaming-" + std::to_string(seed) + ".h5";
        if (seed == 0 || std::filesystem::exists(file))
          parts.push_back(std::to_string(t) + " " + std::to_string(seed));
      }
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
            "-diffusion- and -cloning- for -streaming-, other seeds for 0, and other tasks")
      .param(
          "tasks", std::vector<std::string>{"gate-world", "push-t observe=keypoints"},
          "environments that they were trained for, with their parameters: gate-world, twin-track or push-t")
      .param("seeds", 2, "training seeds, from 0 on, of those that are there", range(1, 100))
      .param("episodes", 200, "held out, for each policy and sampler; a quarter of them for push-t",
             range(1, 1e5))
      .param("parts", std::vector<std::string>{kExact, kTime, kQuality}, "what is measured, in this order",
             choices({kExact, kTime, kQuality}))
      .param("quick", false,
             "a tenth of the episodes, of the first task alone, and every comparison may miss its bar by two "
             "standard "
             "errors")
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
          "least 0.10 over the same buffer with a network that was trained on one amount of noise alone. On "
          "twin-track the score is the mean distance to the nearer track (that of behaviour cloning stands "
          "without "
          "a bar: a sampler also draws answers to disturbances that do not come, and a mean does not), on "
          "push-t the greatest share of "
          "the "
          "outline that is covered in an episode, over 0.95 and at most 1.")
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
      tasks_(p.get<std::vector<std::string>>("tasks")),
      episodes_(p.get<std::int64_t>("episodes")),
      quick_(p.get<bool>("quick")) {
  for (std::size_t t = 0; t < tasks_.size(); ++t) models_.push_back(models_of(p, t));
  if (quick_) episodes_ = std::max<std::int64_t>(1, episodes_ / 10);
}

std::unique_ptr<StudyPart> DiffusionPolicyStudy::part(const std::string& which) const {
  if (which == kExact || which == kTime) {
    const std::string& models = models_[0];
    return std::make_unique<ExactPart>(
        ExactPart::Options{.streaming = load_policy(models + "-streaming-0.h5"),
                           .diffusion = load_policy(models + "-diffusion-0.h5"),
                           .calls = which == kTime ? 40 : 10,
                           .time = which == kTime,
                           .seed = context_.seed});
  }
  const auto number = static_cast<std::size_t>(std::stoll(which));
  const std::string& environment = tasks_.at(number);
  const std::string task = task_of(environment);
  return std::make_unique<QualityPart>(
      QualityPart::Options{.models = models_.at(number),
                           .seed = std::stoll(which.substr(which.find(' '))),
                           .environment = environment,
                           .episodes = task == "push-t" ? (episodes_ + 3) / 4 : episodes_,
                           .held_out = context_.seed + 1000003,
                           .quick = quick_,
                           .context = context_});
}

}  // namespace stream::diffusion_policy
