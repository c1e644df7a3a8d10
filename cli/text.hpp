/// Text for people: aligned columns, numbers with units, and the way out to stdout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stream::cli {

/// Writes all of it to stdout. Throws ClosedPipe when the reader has gone, Error(kCannotWrite) otherwise.
void print(std::string_view text);

std::string join(const std::vector<std::string>& words, std::string_view between);

/// Columns padded to the widest cell; the last one is wrapped to the width of a page when it is text.
class Table {
 public:
  explicit Table(std::size_t indent = 0) : indent_(indent) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// `right`: which columns are numbers, flush right.
  std::string text(const std::vector<bool>& right = {}) const;

 private:
  std::size_t indent_;
  std::vector<std::vector<std::string>> rows_;
};

/// Columns that a terminal needs for it: code points, which is close enough for alignment.
std::size_t width_of(std::string_view utf8);
/// At most `width` columns of it, with an ellipsis in front when something had to go (the newest words matter
/// most).
std::string tail_of(std::string_view utf8, std::size_t width);
/// Lines of at most `width` columns, each but the first after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);
/// "1.5 MB", "312 B"
std::string bytes_text(double bytes);
/// "1:02:03", "2.3 s", "250 ms" or "12.5 us"
std::string seconds_text(double seconds);
/// Three significant digits or so, no exponent for everyday numbers.
std::string number_text(double value, int digits = 3);
std::string html_escaped(std::string_view text);

}  // namespace stream::cli
