#include "llm/network.hpp"

#include <algorithm>

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

}  // namespace

Network::Network(const ModelConfig& config, const at::Generator& generator) : config_(config) {
  if (const std::string wrong = config_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  turns_ = angles(config_);
  if (config_.position != Position::kRope && config_.position != Position::kNone)
    throw bad_recipe(std::string("training knows the positions rope and none, not ") +
                     name_of(config_.position));
  const double depth = 1 / std::sqrt(2.0 * static_cast<double>(config_.layers));
  for (const WeightShape& w : weight_shapes(config_)) {
    if (w.shape.size() == 1) {
      add(w, w.name.ends_with(".bias") ? torch::zeros(w.shape) : torch::ones(w.shape));
      continue;
    }
    double deviation = 0.5 / std::sqrt(static_cast<double>(w.shape[1]));
    if (w.name.ends_with("o_proj.weight") || w.name.ends_with("down_proj.weight")) deviation *= depth;
    if (w.name == "embed_tokens.weight") deviation = 1 / std::sqrt(static_cast<double>(config_.hidden));
    if (w.name.ends_with("key_bias") || w.name.ends_with("value_bias")) deviation = 0.02;
    add(w, torch::empty(w.shape).normal_(0, deviation, generator));
  }
}

Network::Network(const LanguageModel& model) : config_(model.config), turns_(angles(model.config)) {
  check_weights(model);
  for (const WeightShape& w : weight_shapes(config_))
    add(w, torch::tensor(floats(model.weights.at(w.name))).view(w.shape));
}

/// Cosines and sines [context, 2 half].
at::Tensor Network::angles(const ModelConfig& config) {
  const Rope rope(config);
  Turns turns(rope);
  at::Tensor out = torch::empty({config.context, 2 * rope.half()});
  for (std::int64_t t = 0; rope.half() > 0 && t < config.context; ++t)
    std::copy_n(turns.at(t), 2 * rope.half(), out.data_ptr<float>() + t * 2 * rope.half());
  return out;
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
  const at::Tensor turns = turns_.narrow(0, 0, x.size(2));
  const at::Tensor c = turns.narrow(1, 0, half), s = turns.narrow(1, half, half);
  const at::Tensor a = x.narrow(3, 0, half), b = x.narrow(3, half, half);
  std::vector<at::Tensor> parts{a * c - b * s, b * c + a * s};
  if (2 * half < config_.head_dim) parts.push_back(x.narrow(3, 2 * half, config_.head_dim - 2 * half));
  return at::cat(parts, 3);
}

at::Tensor Network::embed(const at::Tensor& tokens) const {
  return at::embedding(weight("embed_tokens.weight"), tokens);
}

Network::Qkv Network::qkv(std::int64_t layer, const at::Tensor& x) const {
  const std::string name = "layers." + std::to_string(layer) + ".";
  const at::Tensor y = norm(name + "input_layernorm", x);
  const auto heads = [&](const char* which, std::int64_t n) {
    return linear(name + "self_attn." + which, y)
        .view({x.size(0), x.size(1), n, config_.head_dim})
        .transpose(1, 2);
  };
  const at::Tensor q = heads("q_proj", config_.heads);
  return {turned(q), turned(heads("k_proj", config_.kv_heads)), heads("v_proj", config_.kv_heads), q};
}

at::Tensor Network::attend(std::int64_t layer, const Qkv& parts, const at::Tensor& hidden) const {
  const std::int64_t group = config_.heads / config_.kv_heads;
  const auto shared = [&](const at::Tensor& t) { return group == 1 ? t : t.repeat_interleave(group, 1); };
  at::Tensor values = shared(parts.v);
  const double scale = 1 / std::sqrt(static_cast<double>(config_.head_dim));
  const bool sigmoid = config_.score == Score::kSigmoid || config_.score == Score::kSigmoidNormalised;
  at::Tensor scores = at::matmul(parts.q, shared(parts.k).transpose(2, 3)) * scale;
  scores = scores.masked_fill(hidden, sigmoid ? -1e4 : -1e30);
  if (config_.attention_bias != AttentionBias::kNone) {
    const std::string name = "layers." + std::to_string(layer) + ".self_attn.";
    const at::Tensor key =
        weight(name + "key_bias").repeat_interleave(group, 0).view({1, config_.heads, config_.head_dim, 1});
    scores = at::cat({scores, at::matmul(parts.raw_q, key) * scale}, 3);
    at::Tensor value = torch::zeros({1, config_.heads, 1, config_.head_dim});
    if (config_.attention_bias == AttentionBias::kKeyValue)
      value = weight(name + "value_bias")
                  .repeat_interleave(group, 0)
                  .view({1, config_.heads, 1, config_.head_dim});
    values = at::cat({values, value.expand({values.size(0), -1, -1, -1})}, 2);
  }
  if (config_.score == Score::kSoftmax) return at::matmul(at::softmax(scores, 3), values);
  if (config_.score == Score::kSoftmaxOne) {
    const at::Tensor one = torch::zeros({scores.size(0), scores.size(1), scores.size(2), 1});
    return at::matmul(at::softmax(at::cat({scores, one}, 3), 3).narrow(3, 0, scores.size(3)), values);
  }
  at::Tensor weights = at::sigmoid(scores - config_.score_offset);
  if (config_.score == Score::kSigmoidNormalised) weights = weights / (weights.sum(3, true) + 1e-8);
  return at::matmul(weights, values);
}

at::Tensor Network::rest(std::int64_t layer, const at::Tensor& x, const at::Tensor& attended) const {
  const std::string name = "layers." + std::to_string(layer) + ".";
  const at::Tensor o =
      linear(name + "self_attn.o_proj",
             attended.transpose(1, 2).reshape({x.size(0), x.size(1), config_.query_width()}));
  const at::Tensor after = x + o;
  const at::Tensor y = norm(name + "post_attention_layernorm", config_.parallel_residual ? x : after);
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
  return after + linear(name + "mlp.down_proj", up);
}

at::Tensor Network::head(const at::Tensor& normed) const {
  return at::linear(normed, weight(config_.tied_embeddings ? "embed_tokens.weight" : "lm_head.weight"));
}

at::Tensor Network::causal(std::int64_t length) { return torch::ones({length, length}, at::kBool).triu(1); }

at::Tensor Network::forward(const at::Tensor& tokens) const {
  const at::Tensor hidden = causal(tokens.size(1));
  at::Tensor x = embed(tokens);
  for (std::int64_t l = 0; l < config_.layers; ++l) x = rest(l, x, attend(l, qkv(l, x), hidden));
  return head(final_norm(x));
}

}  // namespace stream::llm
