/// TOML as plain data in which every key and value knows where it stands. The TOML library stays behind this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/diagnostics.hpp"
#include "stream/value.hpp"

namespace stream {

struct SourceMember;

struct SourceValue {
  enum class Kind { kScalar, kArray, kTable, kDate };
  Kind kind = Kind::kScalar;
  Location where;                     ///< of the value; of its header for a table
  Value scalar;                       ///< boolean, integer, double or string
  std::vector<SourceValue> items;     ///< of an array
  std::vector<SourceMember> members;  ///< of a table, in the order of the file

  bool is_table() const { return kind == Kind::kTable; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_string() const { return kind == Kind::kScalar && scalar.is_string(); }
  /// Null when there is no such member.
  const SourceMember* find(std::string_view name) const;
  /// Without the positions.
  Value value() const;
  /// "a string", "an array", "a table", ... for messages.
  const char* kind_name() const;
};

struct SourceMember {
  std::string name;
  Location where;  ///< of the key
  SourceValue value;
};

/// Larger recipes are refused: the largest that a person writes has some kilobytes.
inline constexpr std::size_t kLargestRecipe = std::size_t{1} << 20;

/// The document's top-level table. Faults (size, encoding, nesting, syntax) go to `diagnostics`, which also
/// gets the source for its carets; then the result is empty.
std::optional<SourceValue> parse_toml(const std::string& text, const std::string& file,
                                      Diagnostics& diagnostics);

}  // namespace stream
