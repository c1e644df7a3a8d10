#include "llm/decoder.hpp"

#include <algorithm>
#include <cmath>

#include "llm/kernels.hpp"
#include "llm/positions.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

void activate(Activation kind, float* x, std::int64_t n) {
  switch (kind) {
    case Activation::kSilu:
      return kernels().silu(x, n);
    case Activation::kGelu:
      for (std::int64_t i = 0; i < n; ++i) x[i] = 0.5f * x[i] * (1.0f + std::erf(x[i] * 0.70710678f));
      return;
    case Activation::kGeluTanh:
      for (std::int64_t i = 0; i < n; ++i)
        x[i] = 0.5f * x[i] * (1.0f + std::tanh(0.79788456f * (x[i] + 0.044715f * x[i] * x[i] * x[i])));
      return;
    case Activation::kRelu:
      for (std::int64_t i = 0; i < n; ++i) x[i] = std::max(x[i], 0.0f);
  }
}

void add(float* x, const float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] += y[i];
}

}  // namespace

Decoder::Decoder(LanguageModel model, WeightType type)
    : config_(model.config), rope_(config_), fingerprint_(llm::fingerprint(model)) {
  if (const std::string wrong = config_.fault(); !wrong.empty()) throw bad_data("model: " + wrong);
  check_weights(model);
  const auto find = [&](const std::string& name) -> const Tensor* {
    const auto it = model.weights.find(name);
    return it == model.weights.end() ? nullptr : &it->second;
  };
  const auto memory = std::make_shared<WeightMemory>();
  const auto matrix = [&](const std::string& name) {
    Matrix out(*find(name + ".weight"), find(name + ".bias"), type, memory);
    model.weights.erase(name + ".weight");
    return out;
  };
  const auto norm_weights = [&](const std::string& name) {
    const Tensor* const bias = find(name + ".bias");
    return NormWeights{floats(*find(name + ".weight")), bias ? floats(*bias) : std::vector<float>()};
  };
  // One for all heads, or one for each.
  const auto of_heads = [&](std::vector<float> values) {
    const auto all = static_cast<std::size_t>(config_.kv_width());
    for (std::size_t i = 0; values.size() < all; ++i) values.push_back(values[i]);
    return values;
  };
  embedding_ = matrix("embed_tokens");
  if (config_.position == Position::kLearned) position_embedding_ = matrix("position_embedding");
  if (config_.position == Position::kRelative)
    attention_weights_.relative = floats(*find("relative_attention_bias.weight"));
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    const std::string name = "layers." + std::to_string(i) + ".";
    Layer layer;
    layer.of_attention = norm_weights(name + "input_layernorm");
    layer.of_ffn = norm_weights(name + "post_attention_layernorm");
    layer.q = matrix(name + "self_attn.q_proj");
    layer.k = matrix(name + "self_attn.k_proj");
    layer.v = matrix(name + "self_attn.v_proj");
    layer.o = matrix(name + "self_attn.o_proj");
    if (config_.gated) layer.gate = matrix(name + "mlp.gate_proj");
    layer.up = matrix(name + "mlp.up_proj");
    layer.down = matrix(name + "mlp.down_proj");
    const std::string self = name + "self_attn.";
    AttentionWeights::Layer& weights = attention_weights_.layers.emplace_back();
    if (has_key(config_.attention_bias)) {
      layer.key_bias = of_heads(floats(*find(self + "key_bias")));
      layer.value_bias = of_heads(has_value(config_.attention_bias) ? floats(*find(self + "value_bias"))
                                                                    : config_.fixed_bias_value());
    } else if (has_value(config_.attention_bias)) {
      weights.value = of_heads(floats(*find(self + "value_bias")));
    }
    if (operation_of(config_.score).similarity == Similarity::kMlpKernel) {
      weights.kernel_in = floats(*find(self + "kernel_in.weight"));
      weights.kernel_out = floats(*find(self + "kernel_out.weight"));
    }
    layers_.push_back(std::move(layer));
  }
  if (config_.norm_place == NormPlace::kPre) final_norm_ = norm_weights("norm");
  if (!config_.tied_embeddings) head_ = matrix("lm_head");
}

std::size_t Decoder::bytes_per_token() const {
  std::size_t sum = config_.tied_embeddings ? embedding_.bytes() : head_.bytes();
  for (const Layer& l : layers_)
    for (const Matrix* m : {&l.q, &l.k, &l.v, &l.o, &l.gate, &l.up, &l.down}) sum += m->bytes();
  return sum;
}

void Decoder::embed(std::span<const std::int32_t> tokens, std::int64_t position, float* x) const {
  const std::int64_t h = config_.hidden;
  std::vector<float> added(static_cast<std::size_t>(h));
  for (std::size_t t = 0; t < tokens.size(); ++t, x += h) {
    if (tokens[t] < 0 || tokens[t] >= config_.vocabulary)
      throw bad_data("token " + std::to_string(tokens[t]) + " is not in the model's vocabulary of " +
                     std::to_string(config_.vocabulary));
    embedding_.row(tokens[t], x);
    const std::int64_t p = position + static_cast<std::int64_t>(t);
    if (config_.position == Position::kLearned) {
      if (p >= config_.context)
        throw bad_data("position " + std::to_string(p) + ": the model has embeddings for " +
                       std::to_string(config_.context) + " positions");
      position_embedding_.row(p, added.data());
      add(x, added.data(), h);
    } else if (config_.position == Position::kSinusoidal) {
      add_sinusoid(p, x, h);
    }
  }
}

void Decoder::norm(const NormWeights& w, const float* x, float* y, std::int64_t tokens) const {
  const Kernels& k = kernels();
  const auto epsilon = static_cast<float>(config_.norm_epsilon);
  for (std::int64_t t = 0; t < tokens; ++t, x += config_.hidden, y += config_.hidden) {
    if (config_.norm == Norm::kRms)
      k.rms_norm(x, w.weight.data(), epsilon, y, config_.hidden);
    else
      k.layer_norm(x, w.weight.data(), w.bias.data(), epsilon, y, config_.hidden);
  }
}

void Decoder::attention(const Layer& layer, std::int64_t index, const float* normed, std::int64_t tokens,
                        Memory& memory, Workspace& work) const {
  layer.q.apply(normed, work.queries.data(), tokens, work.scratch);
  layer.k.apply(normed, work.keys.data(), tokens, work.scratch);
  layer.v.apply(normed, work.values.data(), tokens, work.scratch);
  memory.append(index, tokens, work.queries.data(), work.keys.data(), work.values.data());
  work.segments.clear();
  memory.segments(index, tokens, work.segments);
  if (!layer.key_bias.empty())
    work.segments.push_back(Segment{.keys = layer.key_bias.data(),
                                    .values = layer.value_bias.data(),
                                    .head_stride = config_.head_dim,
                                    .count = 1,
                                    .rotate_query = false});
  work.attention.attend(index, tokens, work.queries.data(), work.segments, &memory, work.attended.data());
  layer.o.apply(work.attended.data(), work.projected.data(), tokens, work.scratch);
}

void Decoder::feed_forward(const Layer& layer, const float* normed, std::int64_t tokens,
                           Workspace& work) const {
  const std::int64_t n = tokens * config_.ffn;
  layer.up.apply(normed, work.up.data(), tokens, work.scratch);
  if (config_.gated) {
    layer.gate.apply(normed, work.gate.data(), tokens, work.scratch);
    activate(config_.activation, work.gate.data(), n);
    for (std::int64_t i = 0; i < n; ++i)
      work.up[static_cast<std::size_t>(i)] *= work.gate[static_cast<std::size_t>(i)];
  } else {
    activate(config_.activation, work.up.data(), n);
  }
  layer.down.apply(work.up.data(), work.projected.data(), tokens, work.scratch);
}

void Decoder::layer(std::int64_t index, float* x, std::int64_t tokens, Memory& memory,
                    Workspace& work) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  const std::int64_t n = tokens * config_.hidden;
  const auto add_projected = [&] { add(x, work.projected.data(), n); };
  if (config_.norm_place == NormPlace::kPost) {
    attention(layer, index, x, tokens, memory, work);
    add_projected();
    norm(layer.of_attention, x, work.normed.data(), tokens);
    std::copy_n(work.normed.data(), n, x);
    feed_forward(layer, x, tokens, work);
    add_projected();
    norm(layer.of_ffn, x, work.normed.data(), tokens);
    std::copy_n(work.normed.data(), n, x);
    return;
  }
  norm(layer.of_attention, x, work.normed.data(), tokens);
  attention(layer, index, work.normed.data(), tokens, memory, work);
  if (config_.parallel_residual) {
    // Both parts read the layer's input.
    norm(layer.of_ffn, x, work.normed.data(), tokens);
    add_projected();
  } else {
    add_projected();
    norm(layer.of_ffn, x, work.normed.data(), tokens);
  }
  feed_forward(layer, work.normed.data(), tokens, work);
  add_projected();
}

void Decoder::run(float* x, std::int64_t tokens, Memory& memory, Workspace& work) const {
  const auto sized = [tokens](std::vector<float>& v, std::int64_t width) {
    v.resize(static_cast<std::size_t>(tokens * width));
  };
  sized(work.normed, config_.hidden);
  sized(work.projected, config_.hidden);
  sized(work.queries, config_.query_width());
  sized(work.attended, config_.query_width());
  sized(work.keys, config_.kv_width());
  sized(work.values, config_.kv_width());
  sized(work.up, config_.ffn);
  if (config_.gated) sized(work.gate, config_.ffn);
  const std::int64_t n = tokens * config_.hidden;
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    layer(i, x, tokens, memory, work);
    if (work.layer_tap) work.layer_tap(i, {x, static_cast<std::size_t>(n)});
  }
  memory.commit(tokens);
  if (config_.norm_place == NormPlace::kPost) return;
  norm(final_norm_, x, work.normed.data(), tokens);
  std::copy_n(work.normed.data(), n, x);
}

void Decoder::logits(const float* x, std::int64_t tokens, float* out, Workspace& work) const {
  (config_.tied_embeddings ? embedding_ : head_).apply(x, out, tokens, work.scratch);
}

double log_sum_exp(std::span<const float> logits) {
  double top = -1e300, sum = 0;
  for (const float v : logits) top = std::max(top, static_cast<double>(v));
  for (const float v : logits) sum += std::exp(static_cast<double>(v) - top);
  return top + std::log(sum);
}

double surprisal(std::span<const float> logits, std::int32_t token) {
  return log_sum_exp(logits) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

}  // namespace stream::llm
