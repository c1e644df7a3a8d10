/// A JSON value. The library that parses JSON stays behind this type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stream {

class Value;
using Array = std::vector<Value>;

/// A JSON object that keeps the order in which its members were written.
class Object {
 public:
  using Member = std::pair<std::string, Value>;
  Object() = default;
  Object(std::initializer_list<Member> members);
  /// Of names that occur twice, the last value stays, at the place of the first. What `set` would make of
  /// them one by one, without looking through all for each.
  explicit Object(std::vector<Member> members);

  /// Null when there is no such member.
  const Value* find(std::string_view name) const;
  /// Adds the member, or replaces its value when the name is there already; looks through all that there are.
  /// Returns *this for chaining.
  Object& set(std::string name, Value value);
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::vector<Member>::const_iterator begin() const;
  std::vector<Member>::const_iterator end() const;
  friend bool operator==(const Object& a, const Object& b);

 private:
  std::vector<Member> members_;
};

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool b) : data_(b) {}
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}
  Value(std::int64_t i) : data_(i) {}
  /// Values above 2^63 - 1 become doubles, as JSON readers elsewhere do.
  Value(std::uint64_t i);
  Value(double d) : data_(d) {}
  Value(float f) : data_(static_cast<double>(f)) {}
  Value(const char* s) : data_(std::string(s)) {}
  Value(std::string_view s) : data_(std::string(s)) {}
  Value(std::string s) : data_(std::move(s)) {}
  Value(Array a) : data_(std::move(a)) {}
  Value(Object o) : data_(std::move(o)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_double() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_integer() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  /// Checked access; throws Error(kBadData) that names the kind found and the kind expected.
  bool as_bool() const;
  std::int64_t as_integer() const;  ///< also accepts a double that holds a whole number
  double as_double() const;         ///< also accepts an integer
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  /// Unchecked-in-type mutation for building.
  Array& array() { return std::get<Array>(data_); }
  Object& object() { return std::get<Object>(data_); }

  /// "null", "boolean", "integer", "number", "string", "array" or "object".
  const char* kind() const;

  /// Strict JSON. Throws Error(kBadData) with the byte offset at which the text stops being JSON.
  static Value parse(std::string_view json);
  /// Throws as `parse` does, without building anything.
  static void validate(std::string_view json);
  /// What `validate` would find wrong: the byte offset, and a phrase. None for JSON.
  static std::optional<std::pair<std::size_t, std::string>> fault(std::string_view json);
  /// Compact JSON on one line; `indent > 0` spreads it over lines. Doubles are the shortest text that
  /// reads back to the same value; NaN and infinities, which JSON lacks, are written as null.
  std::string dump(int indent = 0) const;
  void dump_to(std::string& out, int indent = 0, int depth = 0) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

}  // namespace stream
