#include "diffusion_policy/trainer.hpp"

#include <algorithm>

#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

DenoiserShape checked(DenoiserShape shape, const TrainerOptions& options, const Episodes& episodes) {
  shape.observation = episodes.observation;
  shape.action = episodes.action;
  if (const std::string wrong = shape.fault(); !wrong.empty()) throw bad_recipe(wrong);
  const Chunks chunks{shape.horizon, shape.observed, options.executed};
  if (options.executed < 1 || shape.horizon < shape.observed || chunks.count() < 1)
    throw bad_recipe("a horizon of " + std::to_string(shape.horizon) + " has no room for " +
                     std::to_string(options.executed) + " actions behind " +
                     std::to_string(shape.observed - 1) + " of the past");
  if (shape.noise_steps < chunks.count())
    throw bad_recipe("fewer noise steps (" + std::to_string(shape.noise_steps) + ") than chunks (" +
                     std::to_string(chunks.count()) + ")");
  return shape;
}

template <auto Table>
Normaliser fitted(const Episodes& episodes, std::int64_t width) {
  std::vector<const std::vector<float>*> tables;
  for (const Episode& e : episodes.list) tables.push_back(&(e.*Table));
  return Normaliser::fitted(tables, width);
}

at::Tensor flat(const torch::nn::Module& module) {
  std::vector<at::Tensor> parts;
  for (const auto& p : module.parameters()) parts.push_back(p.detach().reshape({-1}));
  return torch::cat(parts);
}

}  // namespace

std::vector<std::int64_t> drawn_steps(const Chunks& chunks, std::int64_t noise_steps, bool constant,
                                      Random& random) {
  if (constant) {
    const auto k = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(noise_steps)));
    return std::vector<std::int64_t>(static_cast<std::size_t>(chunks.horizon), k);
  }
  const auto back =
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(noise_steps / chunks.count())));
  auto steps = chunks.staircase(noise_steps);
  for (std::int64_t& k : steps) k -= back;
  return steps;
}

Trainer::Trainer(const DenoiserShape& shape, TrainerOptions options, Episodes episodes, Random random)
    : options_(options),
      episodes_(std::move(episodes)),
      observations_(fitted<&Episode::observations>(episodes_, episodes_.observation)),
      actions_(fitted<&Episode::actions>(episodes_, episodes_.action)),
      random_(random),
      schedule_(checked(shape, options, episodes_).noise_steps),
      network_(std::make_shared<Denoiser>(checked(shape, options, episodes_), nn::generator(random_()))),
      optimizer_(std::make_unique<nn::AdamW>(
          *network_,
          nn::AdamW::Options{.beta1 = 0.95, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-6})),
      average_(flat(*network_)) {
  for (std::size_t i = 0; i < episodes_.list.size(); ++i) {
    Episode& e = episodes_.list[i];
    observations_.apply(e.observations, e.observations);
    actions_.apply(e.actions, e.actions);
    for (std::int64_t t = 0; t < episodes_.ticks(e); ++t)
      windows_.emplace_back(static_cast<std::int32_t>(i), static_cast<std::int32_t>(t));
  }
}

void Trainer::read_window(const Episode& episode, std::int64_t tick, float* observations,
                          float* actions) const {
  const DenoiserShape& s = network_->shape();
  const std::int64_t first = tick - (s.observed - 1), last = episodes_.ticks(episode) - 1;
  const auto row = [&](std::int64_t t) { return std::clamp<std::int64_t>(t, 0, last); };
  for (std::int64_t i = 0; i < s.observed; ++i)
    std::copy_n(episode.observations.data() + row(first + i) * s.observation, s.observation,
                observations + i * s.observation);
  for (std::int64_t p = 0; p < s.horizon; ++p)
    std::copy_n(episode.actions.data() + row(first + p) * s.action, s.action, actions + p * s.action);
}

void Trainer::step() {
  const DenoiserShape& s = network_->shape();
  const std::int64_t batch = options_.batch;
  const Chunks chunks{s.horizon, s.observed, options_.executed};
  const at::Tensor observations = torch::empty({batch, s.observed * s.observation});
  const at::Tensor clean = torch::empty({batch, s.horizon, s.action});
  const at::Tensor noisy = torch::zeros_like(clean), noise = torch::zeros_like(clean);
  const at::Tensor steps = torch::full({batch, s.horizon}, -1, at::kLong);
  const bool cloning = options_.objective == Objective::kCloning;
  const bool constant = options_.objective == Objective::kDiffusion ||
                        (!cloning && random_.uniform() < options_.constant_share);
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto [episode, tick] = windows_[random_.below(windows_.size())];
    float* const x0 = clean.data_ptr<float>() + b * s.horizon * s.action;
    read_window(episodes_.list[static_cast<std::size_t>(episode)], tick,
                observations.data_ptr<float>() + b * s.observed * s.observation, x0);
    if (cloning) continue;
    const auto drawn = drawn_steps(chunks, s.noise_steps, constant, random_);
    std::copy(drawn.begin(), drawn.end(), steps.data_ptr<std::int64_t>() + b * s.horizon);
    float* const e = noise.data_ptr<float>() + b * s.horizon * s.action;
    float* const x = noisy.data_ptr<float>() + b * s.horizon * s.action;
    for (std::int64_t i = 0; i < s.horizon * s.action; ++i) {
      e[i] = static_cast<float>(random_.normal());
      x[i] = schedule_.noised(x0[i], e[i], drawn[static_cast<std::size_t>(i / s.action)]);
    }
  }
  optimizer_->zero_grad();
  const at::Tensor predicted = network_->forward(noisy, steps, observations);
  const at::Tensor loss = at::mse_loss(predicted, cloning ? clean : noise);
  loss.backward();
  optimizer_->step(options_.learning_rate * nn::warmup_cosine(step_, options_.warmup, options_.steps));
  const torch::NoGradGuard no_grad;
  const double decay = std::min(1 - std::pow(1.0 + static_cast<double>(step_), -0.75), 0.9999);
  average_.lerp_(flat(*network_), 1 - decay);
  const double keep = step_ == 0 ? 0.0 : 0.98;
  loss_ = keep * loss_ + (1 - keep) * loss.item<double>();
  ++step_;
}

Policy Trainer::policy() const {
  const torch::NoGradGuard no_grad;
  Policy out{options_.objective, options_.executed,
             std::make_shared<Denoiser>(network_->shape(), nn::generator(0)), observations_, actions_};
  std::int64_t at = 0;
  for (auto& p : out.network->parameters()) {
    p.copy_(average_.narrow(0, at, p.numel()).view_as(p));
    at += p.numel();
  }
  out.network->eval();
  return out;
}

void Trainer::save(Archive& state) const {
  optimizer_->save(state.group("optimizer"));
  state.set("average", nn::snapshot(average_));
  state.set("step", step_);
  state.set("loss", loss_);
  state.set("random", random_.state());
}

void Trainer::load(const Archive& state) {
  optimizer_->load(state.group("optimizer"));
  const at::Tensor average = nn::view(state.tensor("average"));
  if (average.sizes() != average_.sizes() || average.scalar_type() != at::kFloat)
    throw bad_data("the training state's 'average' belongs to a model of another size");
  average_.copy_(average);
  step_ = state.get<std::int64_t>("step");
  loss_ = state.get<double>("loss");
  const auto words = state.get<std::vector<std::int64_t>>("random");
  if (words.size() != 4 || step_ < 0) throw bad_data("the training state is damaged");
  random_.restore(words);
}

}  // namespace stream::diffusion_policy
