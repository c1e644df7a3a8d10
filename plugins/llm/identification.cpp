#include "llm/identification.hpp"

#include <algorithm>
#include <limits>

#include "stream/error.hpp"

namespace stream::llm {

double identification_rate(std::int64_t step, const IdentificationOptions& o) {
  const double fifth = static_cast<double>(o.steps) / 5;
  const double up = std::max(static_cast<double>(step + 1) / fifth, 0.1),
               down = std::max(static_cast<double>(o.steps - step) / fifth, 0.1);
  return o.learning_rate * std::min({1.0, up, down});
}

Identification::Identification(const LanguageModel& model, IdentificationOptions options)
    : network_(model), options_(options), gates_(model.config.layers, model.config.kv_heads) {
  const ModelConfig& c = model.config;
  if (c.position != Position::kRope && c.position != Position::kNone)
    throw bad_recipe(std::string("gates are found for the positions rope and none, not ") +
                     name_of(c.position));
  if (c.score != Score::kSoftmax)
    throw bad_recipe(std::string("gates are found for the score softmax, not ") + name_of(c.score));
  if (c.prefix > 0)
    throw bad_recipe(
        "gates are found for models whose tokens see what came before, and this one has a prefix of " +
        std::to_string(c.prefix) + " tokens that see each other");
  if (options_.sinks < 0 || options_.recent < 1 || options_.steps < 1)
    throw bad_recipe("identification with " + std::to_string(options_.sinks) + " sinks, " +
                     std::to_string(options_.recent) + " recent tokens and " +
                     std::to_string(options_.steps) + " steps, expected at least 0, 1 and 1");
  for (auto& weight : network_.parameters()) weight.set_requires_grad(false);
  optimizer_ = std::make_unique<nn::AdamW>(
      gates_, nn::AdamW::Options{.beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .epsilon = 1e-8,
                                 .weight_decay = 0,
                                 .clip = std::numeric_limits<double>::infinity()});
}

/// [B, heads, T, d]: all query heads of a kv head share its gate.
at::Tensor Identification::mixed(std::int64_t layer, const at::Tensor& full,
                                 const at::Tensor& streaming) const {
  const std::int64_t group = network_.config().heads / network_.config().kv_heads;
  const at::Tensor gate =
      gates_.values.select(0, layer).clamp(0, 1).repeat_interleave(group).view({1, -1, 1, 1});
  return gate * full + (1 - gate) * streaming;
}

double Identification::step(const at::Tensor& tokens, const at::Tensor& labelled) {
  const std::int64_t length = tokens.size(1);
  if (length > network_.config().context)
    throw bad_data("a sample of " + std::to_string(length) + " tokens, and the model's context is " +
                   std::to_string(network_.config().context));
  if (const std::int64_t window = network_.config().sliding_window; window > 0 && length > window)
    throw bad_data("a sample of " + std::to_string(length) + " tokens, and the model's sliding window is " +
                   std::to_string(window) + ": its heads never see a whole sample");
  const std::int64_t compared = labelled.sum().item<std::int64_t>();
  if (compared == 0) throw bad_data("samples in which no token is labelled");
  {
    const torch::NoGradGuard no_grad;
    gates_.values.clamp_(0, 1);
  }
  optimizer_->zero_grad();
  const at::Tensor hidden = Network::causal(length);
  const at::Tensor places = at::arange(length, at::kLong);
  const at::Tensor back = places.unsqueeze(1) - places.unsqueeze(0);  // [query, key]
  const at::Tensor unseen =
      hidden.logical_or((places.unsqueeze(0) >= options_.sinks).logical_and(back >= options_.recent));
  at::Tensor full = network_.embed(tokens), mix = full;
  for (std::int64_t l = 0; l < network_.config().layers; ++l) {
    at::Tensor attended;
    {
      const torch::NoGradGuard no_grad;
      attended = network_.attend(l, network_.qkv(l, full), hidden);
      full = network_.rest(l, full, attended);
    }
    const Network::Qkv parts = network_.qkv(l, mix);
    if (options_.mix == Mix::kSelf) attended = network_.attend(l, parts, hidden);
    mix = network_.rest(l, mix, mixed(l, attended, network_.attend(l, parts, unseen)));
  }
  const at::Tensor apart = (network_.final_norm(full) - network_.final_norm(mix)).square().mean(-1);
  const at::Tensor loss = (apart * labelled.to(at::kFloat)).sum() / compared +
                          options_.regularisation * gates_.values.clamp(0, 1).abs().mean();
  loss.backward();
  optimizer_->step(identification_rate(step_, options_));
  ++step_;
  return loss_ = loss.item<double>();
}

HeadGates Identification::gates() const {
  HeadGates out;
  const at::Tensor values = gates_.values.detach().clamp(0, 1);
  for (std::int64_t l = 0; l < values.size(0); ++l) {
    out.layers.emplace_back();
    for (std::int64_t h = 0; h < values.size(1); ++h)
      out.layers.back().push_back(static_cast<double>(values[l][h].item<float>()));
  }
  return out;
}

void Identification::save(Archive& state) const {
  optimizer_->save(state.group("optimizer"));
  state.set("step", step_);
  state.set("loss", loss_);
}

void Identification::load(const Archive& state) {
  optimizer_->load(state.group("optimizer"));
  step_ = state.get<std::int64_t>("step");
  loss_ = state.get<double>("loss");
  if (step_ < 0) throw bad_data("the saved identification is damaged");
}

}  // namespace stream::llm
