#include "llm/random_model.hpp"

#include <cmath>

#include "stream/random.hpp"

namespace stream::llm {

LanguageModel random_model(const ModelConfig& config, std::uint64_t seed, DType type) {
  LanguageModel model;
  model.config = config;
  Random random(seed);
  for (const WeightShape& w : weight_shapes(config)) {
    std::int64_t size = 1;
    for (const std::int64_t d : w.shape) size *= d;
    const bool vector = w.shape.size() == 1, norm = vector && w.name.ends_with("weight");
    const double scale = vector ? 0.1
                         : w.name == "embed_tokens.weight"
                             ? 1.0
                             : 1.0 / std::sqrt(static_cast<double>(w.shape.back()));
    std::vector<float> values(static_cast<std::size_t>(size));
    // Uniform, of the same variance: a normal number takes four times as long to draw, which shows at 500 M.
    for (float& v : values)
      v = static_cast<float>((norm ? 1.0 : 0.0) + scale * random.uniform(-1.7320508, 1.7320508));
    Tensor tensor = Tensor::of(std::move(values), w.shape);
    model.weights.emplace(w.name, vector ? tensor : converted(tensor, type));
  }
  return model;
}

ModelConfig llama_shape(std::int64_t layers, std::int64_t hidden, std::int64_t head_dim, std::int64_t ffn,
                        std::int64_t vocabulary, std::int64_t context) {
  ModelConfig c;
  c.layers = layers, c.hidden = hidden, c.head_dim = head_dim, c.heads = c.kv_heads = hidden / head_dim;
  c.ffn = ffn, c.vocabulary = vocabulary, c.context = context;
  return c;
}

}  // namespace stream::llm
