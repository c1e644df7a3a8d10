/// Models with random weights: for what does not depend on what a model knows, such as time.
#pragma once

#include "llm/model_file.hpp"

namespace stream::llm {

/// Normal weights that keep activations near one. With `type` the matrices have it.
LanguageModel random_model(const ModelConfig& config, std::uint64_t seed, DType type = DType::kF32);

/// A Llama-shaped config: as many heads as hidden / head_dim, no shared ones.
ModelConfig llama_shape(std::int64_t layers, std::int64_t hidden, std::int64_t head_dim, std::int64_t ffn,
                        std::int64_t vocabulary, std::int64_t context);

}  // namespace stream::llm
