#include "text.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::cli {

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EPIPE) {
      throw ClosedPipe();
    } else if (n < 0 && errno != EINTR) {
      throw cannot_write(std::string("stdout: ") + std::strerror(errno));
    }
  }
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

std::size_t width_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string tail_of(std::string_view utf8, std::size_t width) {
  const std::size_t all = width_of(utf8);
  if (all <= width) return std::string(utf8);
  if (width < 2) return {};
  std::size_t drop = all - (width - 1), at = 0;
  for (; at < utf8.size(); ++at) {
    if ((utf8[at] & 0xC0) != 0x80 && drop-- == 0) break;
  }
  return "…" + std::string(utf8.substr(at));
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, end);
    if (column > 0 && column + 1 + width_of(word) > width) {
      out += '\n' + std::string(indent, ' ');
      column = 0;
    }
    if (column > 0 && !word.empty()) out += ' ', ++column;
    out += word;
    column += width_of(word);
    if (end == std::string_view::npos) break;
    if (text[end] == '\n') out += '\n' + std::string(indent, ' '), column = 0;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string Table::text(const std::vector<bool>& right) const {
  constexpr std::size_t kPage = 110, kGap = 2;
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent_, ' ');
    for (std::size_t c = 0; c < row.size(); ++c) {
      const bool last = c + 1 == row.size(), flush_right = c < right.size() && right[c];
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      if (flush_right)
        line += pad + row[c];
      else if (last)
        line += wrapped(row[c], std::max<std::size_t>(kPage - std::min(kPage, width_of(line)), 30),
                        width_of(line));
      else
        line += row[c] + pad;
      if (!last) line += std::string(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string number_text(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e9);
  if (plain && (size >= std::pow(10.0, digits - 1) || value == std::floor(value)))
    std::snprintf(text, sizeof text, "%.0f", value);
  else
    std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(units)) bytes /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

std::string seconds_text(double seconds) {
  char text[64];
  const auto whole = static_cast<long long>(seconds);
  const auto tenths = static_cast<long long>(std::floor(seconds * 10 + 0.5));
  if (seconds > 0 && seconds < 1e-3)
    std::snprintf(text, sizeof text, "%.3g us", seconds * 1e6);
  else if (seconds > 0 && seconds < 1)
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  else if (tenths < 600)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (tenths < 36000)
    std::snprintf(text, sizeof text, "%lld:%02lld.%lld", tenths / 600, tenths / 10 % 60, tenths % 10);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace stream::cli
