/// Small models with random weights.
#pragma once

#include <cmath>

#include "llm/model_file.hpp"
#include "stream/random.hpp"

namespace stream::llm::testing {

inline ModelConfig small_config() {
  ModelConfig c;
  c.vocabulary = 31, c.layers = 2, c.hidden = 24, c.heads = 4, c.kv_heads = 2, c.head_dim = 6, c.ffn = 20;
  c.context = 32, c.begin_token = 0;
  return c;
}

/// Normal weights of the size that keeps activations near one; norms near one.
inline LanguageModel random_model(const ModelConfig& config, std::uint64_t seed = 1, double gain = 1) {
  LanguageModel model;
  model.config = config;
  Random random(seed);
  for (const WeightShape& w : weight_shapes(config)) {
    std::int64_t size = 1;
    for (const std::int64_t d : w.shape) size *= d;
    std::vector<float> values(static_cast<std::size_t>(size));
    const bool vector = w.shape.size() == 1, norm = vector && w.name.ends_with("weight");
    const double scale = vector ? 0.1
                         : w.name == "embed_tokens.weight"
                             ? 1
                             : gain / std::sqrt(static_cast<double>(w.shape.back()));
    for (float& v : values) v = static_cast<float>((norm ? 1 : 0) + scale * random.normal());
    model.weights.emplace(w.name, Tensor::of(std::move(values), w.shape));
  }
  return model;
}

}  // namespace stream::llm::testing
