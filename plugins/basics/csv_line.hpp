/// One line of CSV (RFC 4180), in both directions.
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "stream/error.hpp"
#include "stream/value.hpp"

namespace stream {

struct CsvField {
  std::string text;
  bool quoted = false;
};

/// Throws Error(kBadData) with the column for a quote that does not end on the line, or that ends before the
/// field does.
inline std::vector<CsvField> split_csv(std::string_view line, char separator) {
  std::vector<CsvField> fields(1);
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    CsvField& field = fields.back();
    const char c = line[i];
    if (inside) {
      if (c != '"')
        field.text += c;
      else if (i + 1 < line.size() && line[i + 1] == '"')
        field.text += line[++i];
      else
        inside = false;
    } else if (c == separator) {
      fields.emplace_back();
    } else if (c == '"' && field.text.empty() && !field.quoted) {
      inside = field.quoted = true;
    } else if (field.quoted) {
      throw bad_data("column " + std::to_string(i + 1) + ": text after a closing quote");
    } else {
      field.text += c;
    }
  }
  if (inside) throw bad_data("a quoted field does not end on its line");
  return fields;
}

/// Unquoted numbers as numbers, integers where they are; everything else, and what would lose digits, as
/// text.
inline Value csv_value(const CsvField& field) {
  const std::string& text = field.text;
  const char *begin = text.data(), *end = begin + text.size();
  if (!field.quoted && !text.empty()) {
    std::int64_t integer = 0;
    if (const auto r = std::from_chars(begin, end, integer); r.ec == std::errc() && r.ptr == end) {
      // "007" is an identifier.
      if (std::to_string(integer) == text) return integer;
      return text;
    }
    double number = 0;
    if (const auto r = std::from_chars(begin, end, number);
        r.ec == std::errc() && r.ptr == end && std::isfinite(number))
      return number;
  }
  return text;
}

/// A field as it must stand: quoted when it holds the separator, a quote or a line's end, or would read back
/// as something else.
inline std::string csv_field(const Value& value, char separator) {
  if (value.is_null()) return {};
  if (!value.is_string())
    return value.is_object() || value.is_array() ? csv_field(value.dump(), separator) : value.dump();
  const std::string& text = value.as_string();
  const bool plain = text.find_first_of(std::string("\"\r\n") + separator) == std::string::npos &&
                     !text.empty() && csv_value({text, false}).is_string();
  if (plain) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace stream
