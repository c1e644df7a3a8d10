/// The parameters that choose a memory, shared by every operator that runs a model.
#pragma once

#include "llm/decoder.hpp"
#include "llm/memory.hpp"
#include "llm/tokenizer.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

/// Adds `model`, `weights`, `memory` and what the policies need to a spec.
Spec with_memory(Spec spec);
/// A decoder of the model that the parameters name. Throws what read_language_model throws.
struct LoadedModel {
  std::shared_ptr<const Decoder> decoder;
  std::shared_ptr<const Tokenizer> tokenizer;  ///< null for models of bare ids
};
LoadedModel loaded_model(const Params& params);
/// Throws Error(kBadRecipe) for a policy whose numbers do not fit the model.
std::unique_ptr<Memory> memory_of(const Params& params, const Decoder& decoder);
/// How an operator's state grows under the memory that the parameters choose.
Contract memory_contract(const Params& params, Cost cost);

}  // namespace stream::llm
