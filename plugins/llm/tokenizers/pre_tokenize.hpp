/// Pre-tokenisers of tokenizer.json: text into words, across which no token reaches.
#pragma once

#include "llm/tokenizers/stage.hpp"
#include "stream/value.hpp"

namespace stream::llm {

/// Appends the stages of a `pre_tokenizer` entry. Throws Error(kBadData) that names an unknown kind or
/// member.
void add_pre_tokenizer(const Object& entry, std::vector<StageMaker>& stages);

}  // namespace stream::llm
