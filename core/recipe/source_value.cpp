#include "recipe/source_value.hpp"

namespace stream {

const SourceMember* SourceValue::find(std::string_view name) const {
  for (const SourceMember& m : members) {
    if (m.name == name) return &m;
  }
  return nullptr;
}

Value SourceValue::value() const {
  if (kind == Kind::kArray) {
    Array out;
    for (const SourceValue& item : items) out.push_back(item.value());
    return out;
  }
  if (kind == Kind::kTable) {
    Object out;
    for (const SourceMember& m : members) out.set(m.name, m.value.value());
    return out;
  }
  return scalar;
}

const char* SourceValue::kind_name() const {
  switch (kind) {
    case Kind::kArray:
      return "an array";
    case Kind::kTable:
      return "a table";
    case Kind::kDate:
      return "a date or time";
    case Kind::kScalar:
      break;
  }
  if (scalar.is_bool()) return "a boolean";
  if (scalar.is_integer()) return "an integer";
  if (scalar.is_double()) return "a number";
  return "a string";
}

}  // namespace stream
