#include "llm/network.hpp"

#include <algorithm>

#include "llm/positions.hpp"
#include "llm/rope.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

/// Modules do not take names with dots.
std::string registered(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return name;
}

/// kRope: cosines and sines [context, 2 half]; kSinusoidal: embeddings [context, hidden]; kAlibi: slopes
/// [heads].
at::Tensor fixed_of_positions(const ModelConfig& config) {
  const Rope rope(config);
  if (config.position == Position::kAlibi) return torch::tensor(alibi_slopes(config.heads));
  const bool sinusoidal = config.position == Position::kSinusoidal;
  const std::int64_t width = sinusoidal ? config.hidden : 2 * rope.half();
  at::Tensor out = torch::zeros({config.context, width});
  Turns turns(rope);
  for (std::int64_t t = 0; width > 0 && t < config.context; ++t) {
    float* const row = out.data_ptr<float>() + t * width;
    if (sinusoidal)
      add_sinusoid(t, row, width);
    else
      std::copy_n(turns.at(t), width, row);
  }
  return out;
}

double deviation_of(const ModelConfig& config, const WeightShape& w) {
  if (w.name.find("_bias") != std::string::npos) return 0.02;
  if (w.name.find("embed") != std::string::npos) return 1 / std::sqrt(static_cast<double>(config.hidden));
  const double deviation = 0.5 / std::sqrt(static_cast<double>(w.shape[1]));
  const bool into_residual = w.name.ends_with("o_proj.weight") || w.name.ends_with("down_proj.weight");
  return into_residual ? deviation / std::sqrt(2.0 * static_cast<double>(config.layers)) : deviation;
}

}  // namespace

Network::Network(const ModelConfig& config, const at::Generator& generator) : config_(config) {
  if (const std::string wrong = config_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  positions_ = fixed_of_positions(config_);
  for (const WeightShape& w : weight_shapes(config_)) {
    if (w.shape.size() == 1)
      add(w, w.name.ends_with(".bias") ? torch::zeros(w.shape) : torch::ones(w.shape));
    else
      add(w, torch::empty(w.shape).normal_(0, deviation_of(config_, w), generator));
  }
}

Network::Network(const LanguageModel& model)
    : config_(model.config), positions_(fixed_of_positions(model.config)) {
  check_weights(model);
  for (const WeightShape& w : weight_shapes(config_))
    add(w, torch::tensor(floats(model.weights.at(w.name))).view(w.shape));
}

void Network::add(const WeightShape& shape, const at::Tensor& values) {
  weights_.emplace(shape.name, register_parameter(registered(shape.name), values));
}

LanguageModel Network::model() const {
  LanguageModel out;
  out.config = config_;
  for (const auto& [name, tensor] : weights_) out.weights.emplace(name, nn::snapshot(tensor.detach()));
  return out;
}

at::Tensor Network::linear(const std::string& name, const at::Tensor& x) const {
  const auto bias = weights_.find(name + ".bias");
  return at::linear(x, weight(name + ".weight"), bias == weights_.end() ? at::Tensor() : bias->second);
}

at::Tensor Network::norm(const std::string& name, const at::Tensor& x) const {
  if (config_.norm == Norm::kLayer)
    return at::layer_norm(x, {config_.hidden}, weight(name + ".weight"), weight(name + ".bias"),
                          config_.norm_epsilon);
  return x * (x.square().mean(-1, true) + config_.norm_epsilon).rsqrt() * weight(name + ".weight");
}

at::Tensor Network::turned(const at::Tensor& x) const {
  if (config_.position != Position::kRope) return x;
  const std::int64_t half = config_.rotary_dims() / 2;
  const at::Tensor turns = positions_.narrow(0, 0, x.size(2));
  const at::Tensor c = turns.narrow(1, 0, half), s = turns.narrow(1, half, half);
  const at::Tensor a = x.narrow(3, 0, half), b = x.narrow(3, half, half);
  std::vector<at::Tensor> parts{a * c - b * s, b * c + a * s};
  if (2 * half < config_.head_dim) parts.push_back(x.narrow(3, 2 * half, config_.head_dim - 2 * half));
  return at::cat(parts, 3);
}

at::Tensor Network::embed(const at::Tensor& tokens) const {
  const at::Tensor x = at::embedding(weight("embed_tokens.weight"), tokens);
  if (config_.position == Position::kLearned)
    return x + weight("position_embedding.weight").narrow(0, 0, tokens.size(1));
  if (config_.position == Position::kSinusoidal) return x + positions_.narrow(0, 0, tokens.size(1));
  return x;
}

at::Tensor Network::rest(std::int64_t layer, const at::Tensor& x, const at::Tensor& attended) const {
  const std::string name = "layers." + std::to_string(layer) + ".";
  const at::Tensor o =
      linear(name + "self_attn.o_proj",
             attended.transpose(1, 2).reshape({x.size(0), x.size(1), config_.query_width()}));
  const bool post = config_.norm_place == NormPlace::kPost;
  const at::Tensor after = post ? norm(name + "input_layernorm", x + o) : x + o;
  const at::Tensor y =
      post ? after : norm(name + "post_attention_layernorm", config_.parallel_residual ? x : after);
  const auto activated = [&](const at::Tensor& t) {
    switch (config_.activation) {
      case Activation::kSilu:
        return at::silu(t);
      case Activation::kGelu:
        return at::gelu(t);
      case Activation::kGeluTanh:
        return at::gelu(t, "tanh");
      default:
        return at::relu(t);
    }
  };
  at::Tensor up = linear(name + "mlp.up_proj", y);
  up = config_.gated ? activated(linear(name + "mlp.gate_proj", y)) * up : activated(up);
  const at::Tensor out = after + linear(name + "mlp.down_proj", up);
  return post ? norm(name + "post_attention_layernorm", out) : out;
}

at::Tensor Network::head(const at::Tensor& normed) const {
  return at::linear(normed, weight(config_.tied_embeddings ? "embed_tokens.weight" : "lm_head.weight"));
}

at::Tensor Network::causal(std::int64_t length) { return torch::ones({length, length}, at::kBool).triu(1); }

at::Tensor Network::unseen(std::int64_t length) const {
  at::Tensor out = causal(length);
  if (config_.prefix > 0) out.narrow(1, 0, std::min(config_.prefix, length)).fill_(false);
  if (config_.sliding_window > 0)
    out = out.logical_or(torch::ones({length, length}, at::kBool).tril(-config_.sliding_window));
  return out;
}

at::Tensor Network::forward(const at::Tensor& tokens) const {
  const at::Tensor hidden = unseen(tokens.size(1));
  at::Tensor x = embed(tokens);
  for (std::int64_t l = 0; l < config_.layers; ++l) x = rest(l, x, attend(l, qkv(l, x), hidden));
  return head(final_norm(x));
}

}  // namespace stream::llm
