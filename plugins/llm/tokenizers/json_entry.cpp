#include "llm/tokenizers/json_entry.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

const Value* optional_member(const Object& object, std::string_view name) {
  const Value* found = object.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const Value& member(const Object& object, std::string_view name) {
  const Value* found = object.find(name);
  if (found != nullptr) return *found;
  std::vector<std::string> names;
  for (const auto& [key, value] : object) names.push_back(key);
  throw bad_data("'" + std::string(name) + "' is missing" + did_you_mean(name, names));
}

bool flag(const Object& object, std::string_view name, bool otherwise) {
  const Value* found = optional_member(object, name);
  return found == nullptr ? otherwise : found->as_bool();
}

std::string kind_of(const Object& entry, const std::string& what, const std::vector<std::string>& known) {
  const std::string& kind = member(entry, "type").as_string();
  if (std::find(known.begin(), known.end(), kind) != known.end()) return kind;
  std::string names;
  for (const auto& name : known) names += (names.empty() ? "" : ", ") + name;
  throw bad_data(what + " of the unsupported kind '" + kind + "', expected one of " + names +
                 did_you_mean(kind, known));
}

std::shared_ptr<const Pattern> pattern_of(const Object& entry) {
  const Object& pattern = member(entry, "pattern").as_object();
  if (const Value* text = pattern.find("String")) return Pattern::literal(text->as_string());
  if (const Value* text = pattern.find("Regex")) return Pattern::regex(text->as_string());
  throw bad_data("'pattern' is neither a String nor a Regex");
}

}  // namespace stream::llm
