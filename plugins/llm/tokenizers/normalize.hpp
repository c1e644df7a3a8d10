/// Normalisers of tokenizer.json.
#pragma once

#include "llm/tokenizers/stage.hpp"
#include "stream/value.hpp"

namespace stream::llm {

/// Appends the stages of a `normalizer` entry. Throws Error(kBadData) that names an unknown kind or member.
void add_normalizer(const Object& entry, std::vector<StageMaker>& stages);

/// How many times as long a text can become through the `Replace` entries in a normaliser or decoder: they
/// multiply.
double growth_of(const Object& entry);

}  // namespace stream::llm
