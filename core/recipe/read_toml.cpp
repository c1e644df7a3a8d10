/// The one file that knows toml++.
#include <algorithm>
#include <string>

#include "recipe/source_value.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace stream {
namespace {

// toml++ frees nested tables recursively; a key of half a million parts would exhaust the stack. It limits
// the nesting of values to 256 by itself.
constexpr int kDeepestKey = 16;
constexpr int kDeepestValue = 64;

/// Follows line and column (in code points) through a text.
struct Cursor {
  int line = 1, column = 1;
  void pass(char c) {
    if (c == '\n')
      ++line, column = 1;
    else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80)
      ++column;
  }
};

/// Bytes of the UTF-8 sequence at `i`, 0 when there is none (overlong forms, surrogates and values past
/// U+10FFFF are none).
std::size_t utf8_length(std::string_view s, std::size_t i) {
  const auto byte = [&](std::size_t k) { return k < s.size() ? static_cast<unsigned char>(s[k]) : 0u; };
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xc0) == 0x80; };
  const unsigned a = byte(i), b = byte(i + 1);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return tail(i + 1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    if (!tail(i + 1) || !tail(i + 2) || (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f)) return 0;
    return 3;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    if (!tail(i + 1) || !tail(i + 2) || !tail(i + 3) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
      return 0;
    return 4;
  }
  return 0;
}

bool check_encoding(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  Cursor at;
  for (std::size_t i = 0; i < text.size();) {
    const Location here{file, at.line, at.column};
    if (text[i] == '\0') {
      diagnostics.error(here, "NUL byte at offset " + std::to_string(i) + ": a recipe is a text file");
      return false;
    }
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      diagnostics.error(here, "invalid UTF-8 at offset " + std::to_string(i));
      return false;
    }
    for (std::size_t k = 0; k < length; ++k) at.pass(text[i + k]);
    i += length;
  }
  return true;
}

/// Refuses keys of very many dotted parts. A small scanner that only knows strings and comments suffices:
/// dots are counted between the characters that end a key.
bool check_key_depth(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  Cursor at;
  int dots = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    std::size_t end = i + 1;
    if (c == '"' || c == '\'') {
      const bool multi = text.substr(i, 3) == std::string(3, c);
      const std::string close(multi ? 3 : 1, c);
      end = i + close.size();
      while (end < text.size() && text.substr(end, close.size()) != close && (multi || text[end] != '\n')) {
        end += c == '"' && text[end] == '\\' ? 2 : 1;
      }
      end = std::min(text.size(), end + close.size());
    } else if (c == '#') {
      end = std::min(text.find('\n', i), text.size());
    } else if (c == '.') {
      if (++dots > kDeepestKey) {
        diagnostics.error({file, at.line, at.column},
                          "a key of more than " + std::to_string(kDeepestKey) + " parts");
        return false;
      }
    } else if (c == '=' || c == ',' || c == '\n' || c == ']' || c == '}' || c == '{') {
      dots = 0;
    }
    for (; i < end; ++i) at.pass(text[i]);
  }
  return true;
}

Location location(const toml::source_position& position, const std::string& file) {
  return {file, static_cast<int>(position.line), static_cast<int>(position.column)};
}

struct TooDeep {
  Location where;
};

SourceValue convert(const toml::node& node, const std::string& file, int depth) {
  SourceValue out;
  out.where = location(node.source().begin, file);
  if (depth > kDeepestValue) throw TooDeep{out.where};
  if (const auto* table = node.as_table()) {
    out.kind = SourceValue::Kind::kTable;
    for (const auto& [key, value] : *table) {
      out.members.push_back(
          {std::string(key.str()), location(key.source().begin, file), convert(value, file, depth + 1)});
    }
    std::stable_sort(
        out.members.begin(), out.members.end(), [](const SourceMember& a, const SourceMember& b) {
          return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
        });
  } else if (const auto* array = node.as_array()) {
    out.kind = SourceValue::Kind::kArray;
    for (const auto& item : *array) out.items.push_back(convert(item, file, depth + 1));
  } else if (const auto* s = node.as_string()) {
    out.scalar = s->get();
  } else if (const auto* i = node.as_integer()) {
    out.scalar = i->get();
  } else if (const auto* d = node.as_floating_point()) {
    out.scalar = d->get();
  } else if (const auto* b = node.as_boolean()) {
    out.scalar = b->get();
  } else {
    out.kind = SourceValue::Kind::kDate;
  }
  return out;
}

/// toml++ says "Error while parsing table: ..."; what follows is what a reader needs.
std::string syntax_message(std::string_view description) {
  const auto colon = description.find(": ");
  if (description.substr(0, 5) == "Error" && colon != std::string_view::npos)
    description.remove_prefix(colon + 2);
  return std::string(description);
}

}  // namespace

std::optional<SourceValue> parse_toml(const std::string& text, const std::string& file,
                                      Diagnostics& diagnostics) {
  if (text.size() > kLargestRecipe) {
    diagnostics.error({file}, "larger than 1 MiB: this is no recipe");
    return std::nullopt;
  }
  diagnostics.add_source(file, text);
  if (!check_encoding(text, file, diagnostics) || !check_key_depth(text, file, diagnostics))
    return std::nullopt;
  try {
    return convert(toml::parse(std::string_view(text), std::string_view(file)), file, 0);
  } catch (const toml::parse_error& e) {
    diagnostics.error(location(e.source().begin, file), syntax_message(e.description()));
  } catch (const TooDeep& e) {
    diagnostics.error(e.where, "nested deeper than " + std::to_string(kDeepestValue) + " levels");
  } catch (const std::exception& e) {
    diagnostics.error({file}, std::string("cannot be read as TOML: ") + e.what());
  }
  return std::nullopt;
}

}  // namespace stream
