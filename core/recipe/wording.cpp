#include "recipe/wording.hpp"

#include <algorithm>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream {

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_node_id(std::string_view id) {
  while (id.size() <= 512) {
    const auto dot = id.find('.');
    if (!is_identifier(id.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    id.remove_prefix(dot + 1);
  }
  return false;
}

std::string near(std::string_view word, const std::vector<std::string>& candidates) {
  return word.size() <= 200 ? did_you_mean(word, candidates) : "";
}

std::string hint(std::string_view word, const std::vector<std::string>& candidates, const std::string& what,
                 const std::string& none) {
  if (std::string found = near(word, candidates); !found.empty()) return found;
  if (!candidates.empty()) return " (" + what + ": " + listed(candidates) + ")";
  return none.empty() ? "" : " (" + none + ")";
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) out += (i ? ", " : "") + names[i];
  if (names.size() > kShown) out += ", and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

std::string fault_of(const Param& param, const Value& value) {
  const std::string fault = check_param(param, value);
  if (fault.empty()) return {};
  const bool predicate = fault.rfind("must", 0) == 0 || fault.rfind("element", 0) == 0;
  return "'" + param.name + (predicate ? "' " : "': ") + fault;
}

std::string check_source(const Param& param, const SourceValue& value) {
  if (value.kind == SourceValue::Kind::kDate || value.is_table()) {
    return "'" + param.name + "' must be of type " + name_of(param.type) + ", is " + value.kind_name();
  }
  for (const SourceValue& item : value.items) {
    if (item.kind != SourceValue::Kind::kScalar) {
      return "'" + param.name + "' must be of type " + name_of(param.type) + "; it holds " + item.kind_name();
    }
  }
  return fault_of(param, value.value());
}

}  // namespace stream
