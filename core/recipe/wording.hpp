/// How diagnostics of recipes speak of names: nearest spelling, candidates, rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipe/source_value.hpp"
#include "stream/spec.hpp"

namespace stream {

inline constexpr const char* kIdentifierRule = "up to 64 letters, digits, '-' and '_'";
/// True for what ids of nodes and names of parameters may be.
bool is_identifier(std::string_view name);

/// Ids of nodes may be several such names joined by dots, as those of included nodes are.
bool is_node_id(std::string_view id);

/// did_you_mean for words from files: what is absurdly long has no neighbour, and costs nothing.
std::string near(std::string_view word, const std::vector<std::string>& candidates);
/// " (did you mean 'x'?)", or when nothing is near " (WHAT: a, b, c)", or when there is nothing " (NONE)".
std::string hint(std::string_view word, const std::vector<std::string>& candidates, const std::string& what,
                 const std::string& none = {});
/// "a, b, c", cut after a dozen.
std::string listed(const std::vector<std::string>& names);

/// check_param as a sentence that names the parameter; empty when the value is fine.
std::string fault_of(const Param& param, const Value& value);
/// The same for a value with a position: also refuses what no parameter can be (dates, tables).
std::string check_source(const Param& param, const SourceValue& value);

}  // namespace stream
