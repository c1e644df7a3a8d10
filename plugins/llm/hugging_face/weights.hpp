/// Tensors of a Hugging Face checkpoint, under their names there, as the weights of our decoder.
#pragma once

#include <map>
#include <string>

#include "llm/hugging_face/config.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

/// What `archive` (as core/import reads it: dots are groups) holds, by dotted names.
std::map<std::string, Tensor, std::less<>> dotted_tensors(const Archive& archive);

/// By the names of `weight_shapes`. GPT-NeoX's query_key_value, GPT-2's c_attn and lit-gpt's attn are
/// taken apart; GPT-2's matrices, [in, out] (Conv1D), are transposed; OPT's two rows before position 0 are
/// left out. Throws Error(kBadData) that names the first tensor that is missing, misshapen, of another type
/// than float32, bfloat16 or float16, or not part of such a model: by its name in the checkpoint, with what
/// was expected and the nearest name.
std::map<std::string, Tensor, std::less<>> foreign_weights(
    const ForeignConfig& config, std::map<std::string, Tensor, std::less<>> tensors);

}  // namespace stream::llm
