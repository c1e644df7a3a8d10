/// Reading the entries of tokenizer.json: objects with a "type".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "llm/tokenizers/pattern.hpp"
#include "stream/value.hpp"

namespace stream::llm {

/// Throws Error(kBadData) that names the missing member and the nearest one there is.
const Value& member(const Object& object, std::string_view name);
/// The member, or null when it is missing or null.
const Value* optional_member(const Object& object, std::string_view name);
bool flag(const Object& object, std::string_view name, bool otherwise);
/// The entry's "type"; throws Error(kBadData) when it is none of `known`: `what` is "normalizer", "decoder",
/// ...
std::string kind_of(const Object& entry, const std::string& what, const std::vector<std::string>& known);
/// The entry's "pattern": {"String": ...} or {"Regex": ...}.
std::shared_ptr<const Pattern> pattern_of(const Object& entry);

}  // namespace stream::llm
