#include "diffusion_policy/train.hpp"

#include <cstdio>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::diffusion_policy {

Spec TrainSource::spec() {
  const TrainerOptions options;
  const DenoiserShape shape;
  return Spec("diffusion_policy.train", "Train a policy on demonstrations.")
      .output<Record>("progress", "{\"step\", \"loss\"}, every `report` steps")
      .path("episodes", nullptr, "demonstrations in HDF5, as diffusion_policy.demonstrate writes them")
      .path("model", nullptr, "the HDF5 file to write when the steps are done")
      .param("objective", name_of(options.objective),
             "streaming: denoise buffers whose noise grows; diffusion: sequences of one amount of noise; "
             "cloning: predict the actions themselves",
             choices({name_of(Objective::kStreaming), name_of(Objective::kDiffusion),
                      name_of(Objective::kCloning)}))
      .param("steps", options.steps, "updates in all", range(1, 1e9))
      .param("batch", options.batch, "windows in an update", range(1, 4096))
      .param("learning_rate", options.learning_rate, "at its peak", range(0, 1))
      .param("warmup", options.warmup, "updates until the peak", range(1, 1e9))
      .param("constant_share", options.constant_share,
             "streaming: share of the batches with one amount of noise for all positions", range(0, 1))
      .param("horizon", shape.horizon, "actions in the buffer", range(1, 4096))
      .param("observed", shape.observed, "observations that the network is shown", range(1, 64))
      .param("executed", options.executed, "actions executed by each call", range(1, 4096))
      .param("noise_steps", shape.noise_steps, "diffusion steps", range(1, 10000))
      .param("step_code", shape.step_code, "numbers that code a diffusion step", range(4, 1024))
      .param("dims", shape.dims, "channels of the U-Net's levels", range(8, 4096))
      .param("report", 100, "updates between two lines of progress", range(1, 1e9))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "A batch of windows is drawn from the demonstrations, noise is added under one regime, the network "
          "predicts the noise, AdamW makes one update (betas 0.95 and 0.999, weight decay 1e-6, half a "
          "cosine down "
          "to 0), and a moving average follows the weights with decay min(1 - (1 + step)^-0.75, 0.9999); the "
          "file "
          "holds the average. Every tick of an episode is the current one of a window: what would lie "
          "outside "
          "repeats the edge. A checkpoint may fall anywhere; the same seed gives the same model.")
      .paper(
          "Hoeg, Du, Egeland, Streaming Diffusion Policy: Fast Policy Synthesis with Variable Noise "
          "Diffusion "
          "Models, arXiv 2406.04806")
      .example("A few steps", R"(title = "Training"
[nodes.train]
use = "diffusion_policy.train"
episodes = "examples/gate-world.h5"
model = "policy.h5"
steps = 100
[nodes.log]
use = "jsonl.write"
from = "train"
path = "-"
)");
}

TrainSource::TrainSource(const Params& p)
    : path_(p.get<std::string>("model")),
      total_(p.get<std::int64_t>("steps")),
      report_(p.get<std::int64_t>("report")),
      trainer_(
          [&] {
            DenoiserShape s;
            s.horizon = p.get<std::int64_t>("horizon"), s.observed = p.get<std::int64_t>("observed");
            s.noise_steps = p.get<std::int64_t>("noise_steps"),
            s.step_code = p.get<std::int64_t>("step_code");
            s.dims = p.get<std::vector<std::int64_t>>("dims");
            return s;
          }(),
          TrainerOptions{.objective = objective_of(p.get<std::string>("objective")),
                         .steps = total_,
                         .batch = p.get<std::int64_t>("batch"),
                         .executed = p.get<std::int64_t>("executed"),
                         .learning_rate = p.get<double>("learning_rate"),
                         .warmup = p.get<std::int64_t>("warmup"),
                         .constant_share = p.get<double>("constant_share")},
          read_episodes(p.input_path("episodes")), p.random("training")) {}

bool TrainSource::read(Output& out) {
  if (trainer_.finished()) {
    if (!written_) save_policy(path_, trainer_.policy());
    written_ = true;
    return false;
  }
  trainer_.step();
  if (trainer_.steps() % report_ == 0 || trainer_.finished())
    out.emit(Packet::of<Record>(Time{trainer_.steps()},
                                Object{{"step", trainer_.steps()}, {"loss", trainer_.loss()}}));
  return true;
}

double TrainSource::fraction() const {
  return static_cast<double>(trainer_.steps()) / static_cast<double>(total_);
}

void TrainSource::save(Archive& state) const { trainer_.save(state); }
void TrainSource::load(const Archive& state) { trainer_.load(state); }

std::string TrainSource::progress() const {
  char text[80];
  std::snprintf(text, sizeof text, "step %lld, loss %.4f", static_cast<long long>(trainer_.steps()),
                trainer_.loss());
  return text;
}

}  // namespace stream::diffusion_policy
