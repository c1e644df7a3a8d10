#include "diffusion_policy/study_quality.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr const char *kStreaming = "streaming", *kFull = "diffusion policy", *kTwelve = "DDIM, 12 steps",
                     *kFour = "DDIM, 4 steps", *kCloning = "behaviour cloning",
                     *kConstant = "streaming, trained on constant noise only",
                     *kLabels = "streaming, past positions not re-noised";

}  // namespace

QualityPart::QualityPart(Options options)
    : options_(std::move(options)),
      streaming_(load_policy(options_.models + "-streaming-" + std::to_string(options_.seed) + ".h5")),
      diffusion_(load_policy(options_.models + "-diffusion-" + std::to_string(options_.seed) + ".h5")),
      cloning_(load_policy(options_.models + "-cloning-" + std::to_string(options_.seed) + ".h5")) {
  contenders_ = {
      {kStreaming, &streaming_, {.sampling = Sampling::kStreaming}},
      {kFull, &diffusion_, {.sampling = Sampling::kFull}},
      {kTwelve, &diffusion_, {.sampling = Sampling::kImplicit, .implicit_steps = 12}},
      {kFour, &diffusion_, {.sampling = Sampling::kImplicit, .implicit_steps = 4}},
      {kCloning, &cloning_, {.sampling = Sampling::kDirect}},
      {kConstant, &diffusion_, {.sampling = Sampling::kStreaming}},
      {kLabels, &streaming_, {.sampling = Sampling::kStreaming, .renoise_past = false}},
  };
}

bool QualityPart::step() {
  if (found_.size() == contenders_.size()) return false;
  for (const Contender& c : contenders_) {
    if (found_.contains(c.name)) continue;
    Sampler sampler(*c.policy, c.sampling);
    found_[c.name] = roll_out(
        sampler,
        {.environment = options_.environment, .episodes = options_.episodes, .seed = options_.held_out},
        options_.context);
    return true;
  }
  return false;
}

std::string QualityPart::task() const {
  return options_.environment.substr(0, options_.environment.find(' '));
}

std::string QualityPart::where() const {
  return " (" + task() + ", training seed " + std::to_string(options_.seed) + ")";
}

double QualityPart::score(const Rollouts& r) const {
  return task() == "twin-track" ? -r.mean_reward : task() == "push-t" ? r.best_reward : r.success;
}

double QualityPart::slack(double a, double b) const {
  const auto n = static_cast<double>(options_.episodes);
  return options_.quick ? 2 * std::sqrt((a * (1 - a) + b * (1 - b)) / n) : 0;
}

Object QualityPart::compared(const std::string& what, Value paper, double baseline, double measured,
                             double wanted, bool below) const {
  const double room = slack(baseline, measured);
  std::string bar = below ? "<= baseline - " : wanted < 0 ? ">= baseline - " : ">= baseline + ";
  bar += quantity(std::abs(wanted)) + (options_.quick ? ", give or take 2 standard errors" : "");
  return claim(what + where(), std::move(paper), baseline, measured, bar,
               below ? measured <= baseline - wanted + room : measured >= baseline + wanted - room);
}

void QualityPart::claims_of_success(std::vector<Object>& out) const {
  const Rollouts &sdp = of(kStreaming), &dp = of(kFull);
  out.push_back(claim("success of the diffusion policy, or nothing here counts" + where(), Value(), Value(),
                      dp.success, ">= 0.80", dp.success >= 0.80 - slack(dp.success)));
  out.push_back(
      compared("success against the diffusion policy's", "preserved", dp.success, sdp.success, -0.05));
  out.push_back(
      compared("success against behaviour cloning's", Value(), of(kCloning).success, sdp.success, 0.10));
  out.push_back(
      compared("success against DDIM with 12 steps", Value(), of(kTwelve).success, sdp.success, -0.03));
  out.push_back(claim("changes of side an episode, against the diffusion policy's" + where(), Value(),
                      dp.switches, sdp.switches, options_.quick ? "no more" : "fewer",
                      options_.quick ? sdp.switches <= dp.switches : sdp.switches < dp.switches));
  out.push_back(claim("share of the successes that pass on the left" + where(), Value(), dp.left, sdp.left,
                      "0.20 to 0.80", sdp.left >= 0.2 && sdp.left <= 0.8));
  out.push_back(compared("success when trained on constant noise only", Value(), sdp.success,
                         of(kConstant).success, 0.10, true));
}

void QualityPart::claims_of_score(std::vector<Object>& out) const {
  const std::string seed = where();
  const auto error = [&](const char* name) { return -of(name).mean_reward; };
  out.push_back(claim("mean distance to the nearer track, against the diffusion policy's" + seed, "preserved",
                      error(kFull), error(kStreaming), "<= 1.1 x baseline",
                      error(kStreaming) <= 1.1 * error(kFull)));
  // Whoever draws exactly what was demonstrated also draws answers to disturbances that do not come: the mean
  // of what was demonstrated stays nearer to the track than any sampler can.
  out.push_back(figure("mean distance against behaviour cloning's" + seed, Value(), error(kCloning),
                       error(kStreaming)));
  out.push_back(claim("changes of side an episode, against the diffusion policy's" + seed, Value(),
                      of(kFull).switches, of(kStreaming).switches, "fewer",
                      of(kStreaming).switches < of(kFull).switches));
}

void QualityPart::claims_of_coverage(std::vector<Object>& out) const {
  const double dp = score(of(kFull)), sdp = score(of(kStreaming));
  out.push_back(claim("covered by the diffusion policy, or nothing here counts" + where(), Value(), Value(),
                      dp, ">= 0.70", dp >= 0.70 - slack(dp)));
  out.push_back(compared("covered, against the diffusion policy", "preserved", dp, sdp, -0.05));
  out.push_back(compared("covered, against DDIM with 12 steps", Value(), score(of(kTwelve)), sdp, -0.03));
  out.push_back(compared("covered, against behaviour cloning", Value(), score(of(kCloning)), sdp, 0.10));
  out.push_back(compared("covered when trained on constant noise only", Value(), sdp, score(of(kConstant)),
                         0.10, true));
}

std::vector<Object> QualityPart::records() const {
  std::vector<Object> out;
  if (task() == "twin-track")
    claims_of_score(out);
  else if (task() == "push-t")
    claims_of_coverage(out);
  else
    claims_of_success(out);
  const std::string plot = task() +
                           (task() == "twin-track" ? ": distance"
                            : task() == "push-t"   ? ": covered"
                                                   : ": success") +
                           " by network calls, training seed " + std::to_string(options_.seed);
  for (const Contender& c : contenders_) {
    const Rollouts& r = of(c.name);
    out.push_back(point(plot, c.name, static_cast<double>(r.calls.back()), score(r)));
  }
  return out;
}

double QualityPart::fraction() const {
  return static_cast<double>(found_.size()) / static_cast<double>(contenders_.size());
}

std::string QualityPart::progress() const {
  return task() + ", seed " + std::to_string(options_.seed) + ", " + std::to_string(found_.size()) + " of " +
         std::to_string(contenders_.size()) + " samplers";
}

}  // namespace stream::diffusion_policy
