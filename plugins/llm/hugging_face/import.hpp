/// A Hugging Face or lit-gpt directory as one of our language models.
#pragma once

#include <string>

#include "llm/model_file.hpp"

namespace stream::llm {

/// Reads config.json, generation_config.json where it is there, the weights (model.safetensors, or its index
/// and shards; else pytorch_model.bin or its) and the tokenizer (tokenizer.json, else tokenizer.model with
/// tokenizer_config.json; without either the model knows bare ids). Throws Error(kNoInput) for a missing
/// file, Error(kBadData) that names file and fault for everything that does not fit.
LanguageModel read_hugging_face(const std::string& folder);
/// The same of lit-gpt: lit_config.json, and lit_model.pth or the one .pth file that is there.
LanguageModel read_lit_gpt(const std::string& folder);

}  // namespace stream::llm
