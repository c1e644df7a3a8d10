/// config.json of a Hugging Face directory.
#pragma once

#include "llm/model_config.hpp"
#include "stream/value.hpp"

namespace stream::llm {

/// How the tensors of a checkpoint are named and cut.
enum class Layout : std::uint8_t { kLlama, kGptNeoX, kGpt2, kOpt, kLitGpt };

struct ForeignConfig {
  ModelConfig model;  ///< without begin and end tokens
  Layout layout = Layout::kLlama;
};

/// LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, GPTNeoXForCausalLM, GPT2LMHeadModel and
/// OPTForCausalLM, as transformers 4 and 5 write them; rope scaling none, linear and llama3. Throws
/// Error(kBadData) that names the member and what was expected: another architecture, scaling or activation,
/// quantised weights, a window in some layers only.
ForeignConfig read_foreign_config(const Object& file);

}  // namespace stream::llm
