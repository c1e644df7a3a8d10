/// Models of lit-gpt and of what grew from it (TinyLlama; the pre-training runs of Gu et al. 2025).
#pragma once

#include "llm/hugging_face/config.hpp"

namespace stream::llm {

/// lit_config.json: the fields of lit-gpt's Config as it writes them there. Throws Error(kBadData) that names
/// the member and what was expected, also for what such a model may have and the decoder here has not.
ForeignConfig read_lit_gpt_config(const Object& file);

}  // namespace stream::llm
