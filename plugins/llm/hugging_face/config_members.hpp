/// Members of a model's description, with their names in what is said of them.
#pragma once

#include <string>
#include <vector>

#include "llm/tokenizers/json_entry.hpp"
#include "stream/error.hpp"
#include "stream/value.hpp"

namespace stream::llm {

template <typename Read>
auto of(const char* name, const Read& read) {
  try {
    return read();
  } catch (const Error& e) {
    throw e.within(std::string("'") + name + "'");
  }
}
inline std::int64_t integer(const Object& file, const char* name) {
  const Value& value = member(file, name);
  return of(name, [&] { return value.as_integer(); });
}
inline std::int64_t integer_or(const Object& file, const char* name, std::int64_t otherwise) {
  return optional_member(file, name) == nullptr ? otherwise : integer(file, name);
}
inline double number_or(const Object& file, const char* name, double otherwise) {
  const Value* value = optional_member(file, name);
  return value == nullptr ? otherwise : of(name, [&] { return value->as_double(); });
}
inline bool flag_or(const Object& file, const char* name, bool otherwise) {
  return of(name, [&] { return flag(file, name, otherwise); });
}
inline std::string text_or(const Object& file, const char* name, const char* otherwise) {
  const Value* value = optional_member(file, name);
  return value == nullptr ? otherwise : of(name, [&] { return value->as_string(); });
}
inline std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}
/// Of `names`, or Error(kBadData) with the nearest one.
inline std::size_t choice(const char* where, const std::string& name, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return i;
  throw bad_data("'" + std::string(where) + "' is '" + name + "', expected one of " + list_of(names) +
                 did_you_mean(name, names));
}

}  // namespace stream::llm
