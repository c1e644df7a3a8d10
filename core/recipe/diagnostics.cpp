#include "recipe/diagnostics.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <string_view>
#include <tuple>

#include "stream/error.hpp"

namespace stream {
namespace {

constexpr std::size_t kShown = 100;        // faults printed; a hostile file must not fill the terminal
constexpr std::size_t kLineColumns = 120;  // of the source line shown around the caret

/// Control characters made visible, so that neither a recipe nor its quotation steers the terminal.
std::string printable(std::string_view text, bool keep_tabs) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 =
        c == 0xc2 && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xe0) == 0x80;
    if (c1) {
      out += '?';
      ++i;
    } else if ((c < 0x20 && !(c == '\t' && keep_tabs)) || c == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", c);
      out += keep_tabs ? "?" : code;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

/// Line `number` (from 1) of the text, without its end.
std::string_view line_of(std::string_view text, int number) {
  std::size_t begin = 0;
  for (int i = 1; i < number; ++i) {
    begin = text.find('\n', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  auto line = text.substr(begin, text.find('\n', begin) - begin);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::vector<std::string> code_points(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (continues && !out.empty())
      out.back() += c;
    else
      out.emplace_back(1, c);
  }
  return out;
}

void append_caret(std::string& out, std::string_view line, const Location& where) {
  const auto points = code_points(printable(line, true));
  const std::size_t column = std::min<std::size_t>(where.column > 0 ? where.column - 1 : 0, points.size());
  const std::size_t begin = column > kLineColumns - 20 ? column - kLineColumns / 2 : 0;
  const std::size_t end = std::min(points.size(), begin + kLineColumns);
  char number[32];
  std::snprintf(number, sizeof number, "%5d | ", where.line);
  std::string shown, indent;
  if (begin > 0) shown += "...", indent += "   ";
  for (std::size_t i = begin; i < end; ++i) {
    shown += points[i];
    if (i < column) indent += points[i] == "\t" ? '\t' : ' ';
  }
  if (end < points.size()) shown += "...";
  out += number + shown + "\n      | " + indent + "^\n";
}

}  // namespace

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(), [](const Diagnostic& d) { return !d.warning; });
}

void Diagnostics::add_source(const std::string& file, std::string text) {
  for (auto& [name, content] : sources_) {
    if (name == file) {
      content = std::move(text);
      return;
    }
  }
  sources_.emplace_back(file, std::move(text));
}

std::string Diagnostics::text() const {
  const auto rank = [&](const Diagnostic& d) {
    const auto it = std::find_if(sources_.begin(), sources_.end(),
                                 [&](const auto& s) { return s.first == d.where.file; });
    return std::tuple(it - sources_.begin(), d.where.line, d.where.column);
  };
  std::vector<const Diagnostic*> order;
  for (const Diagnostic& d : list_) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(*a) < rank(*b); });

  std::string out;
  std::set<std::tuple<std::string, int, int, std::string>> said;
  std::size_t left_out = 0;
  for (const Diagnostic* d : order) {
    if (!said.emplace(d->where.file, d->where.line, d->where.column, d->message).second) continue;
    if (said.size() > kShown) {
      ++left_out;
      continue;
    }
    out += printable(d->where.file, false);
    if (d->where.line > 0) out += ":" + std::to_string(d->where.line) + ":" + std::to_string(d->where.column);
    if (!d->where.file.empty()) out += ": ";
    out += (d->warning ? "warning: " : "error: ") + printable(d->message, false) + "\n";
    if (d->where.line <= 0) continue;
    for (const auto& [name, content] : sources_) {
      if (name == d->where.file) append_caret(out, line_of(content, d->where.line), d->where);
    }
  }
  if (left_out > 0) out += "and " + std::to_string(left_out) + " more\n";
  return out;
}

void Diagnostics::check() const {
  if (!has_errors()) return;
  std::string message = text();
  if (!message.empty() && message.back() == '\n') message.pop_back();
  throw bad_recipe(message);
}

}  // namespace stream
