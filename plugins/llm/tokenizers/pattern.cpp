#include "llm/tokenizers/pattern.hpp"

#include <algorithm>

#include "llm/tokenizers/stage.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr int kLongest = static_cast<int>(kLongestPiece);

void check(UErrorCode status, const std::string& what) {
  if (U_FAILURE(status)) throw bad_data(what + ": " + u_errorName(status));
}

/// ICU's \s lacks U+000B and U+0085, which are white space to Unicode and to Oniguruma. Also finds what looks
/// at the text in front.
std::string in_icu_dialect(const std::string& expression) {
  std::string out;
  const auto refuse = [&](const std::string& part) {
    throw bad_data("regular expression '" + expression + "': '" + part +
                   "' looks at the text in front of a match, which a stream has let go");
  };
  int brackets = 0;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      const char e = expression[++i];
      if (brackets == 0 && (e == 'b' || e == 'B' || e == 'A' || e == 'G')) refuse(std::string("\\") + e);
      if (e == 's')
        out += "\\p{White_Space}";
      else if (e == 'S')
        out += "\\P{White_Space}";
      else
        out += {'\\', e};
      continue;
    }
    if (c == '[') ++brackets;
    if (c == ']' && brackets > 0) --brackets;
    if (brackets == 0 && c == '^') refuse("^");
    if (brackets == 0 && c == '(')
      for (const char* behind : {"(?<=", "(?<!"})
        if (expression.compare(i, 4, behind) == 0) refuse(behind);
    out += c;
  }
  return out;
}

std::string utf8(const icu::UnicodeString& text, int begin, int end) {
  std::string out;
  text.tempSubStringBetween(begin, end).toUTF8String(out);
  return out;
}

}  // namespace

std::shared_ptr<const Pattern> Pattern::literal(std::string text) {
  if (text.empty()) throw bad_data("a pattern is an empty string");
  auto made = std::make_shared<Pattern>();
  made->literal_ = std::move(text);
  return made;
}

std::shared_ptr<const Pattern> Pattern::regex(const std::string& expression) {
  auto made = std::make_shared<Pattern>();
  made->literal_ = expression;
  UErrorCode status = U_ZERO_ERROR;
  UParseError where;
  made->compiled_.reset(
      icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(in_icu_dialect(expression)), 0, where, status));
  check(status, "regular expression '" + expression + "'");
  return made;
}

PatternScanner::PatternScanner(std::shared_ptr<const Pattern> pattern) : pattern_(std::move(pattern)) {
  if (pattern_->compiled() == nullptr) return;
  UErrorCode status = U_ZERO_ERROR;
  matcher_.reset(pattern_->compiled()->matcher(status));
  check(status, "regular expression '" + pattern_->text() + "'");
  // In steps of ten thousand state changes: a match of a megabyte takes a hundred.
  matcher_->setTimeLimit(2000, status);
}

void PatternScanner::reset() {
  literal_held_.clear();
  held_.remove();
  retry_at_ = 0;
}

void PatternScanner::scan(std::string_view text, bool ended, const Item& item) {
  if (matcher_ == nullptr) {
    literal_held_.append(text);
    scan_literal(ended, item);
    return;
  }
  held_.append(icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size()))));
  if (ended || held_.length() >= retry_at_) scan_regex(ended, item);
}

void PatternScanner::scan_literal(bool ended, const Item& item) {
  const std::string& wanted = pattern_->text();
  std::string_view rest = literal_held_;
  for (std::size_t at = rest.find(wanted); at != std::string_view::npos; at = rest.find(wanted)) {
    if (at > 0) item(rest.substr(0, at), false);
    item(rest.substr(at, wanted.size()), true);
    rest.remove_prefix(at + wanted.size());
  }
  // The longest end that could be the beginning of a match waits.
  std::size_t keep = ended ? 0 : std::min(rest.size(), wanted.size() - 1);
  while (keep > 0 && !std::string_view(wanted).starts_with(rest.substr(rest.size() - keep))) --keep;
  if (rest.size() > keep) item(rest.substr(0, rest.size() - keep), false);
  literal_held_.erase(0, literal_held_.size() - keep);
}

PatternScanner::Found PatternScanner::find(int begin, int limit) {
  UErrorCode status = U_ZERO_ERROR;
  matcher_->region(begin, limit, status);
  Found found{limit, limit, false};
  if (matcher_->find(status) != 0) found = {matcher_->start(status), matcher_->end(status), false};
  check(status, "regular expression '" + pattern_->text() + "'");
  found.open = matcher_->hitEnd() != 0;
  if (found.start == found.end && found.start < limit)
    throw bad_data("regular expression '" + pattern_->text() +
                   "' matches an empty text, which is not supported");
  return found;
}

PatternScanner::Found PatternScanner::first_open(int begin, int limit) {
  for (int at = begin; at < limit; at = held_.moveIndex32(at, 1)) {
    UErrorCode status = U_ZERO_ERROR;
    matcher_->region(at, limit, status);
    const bool matches = matcher_->lookingAt(status) != 0;
    check(status, "regular expression '" + pattern_->text() + "'");
    if (matcher_->hitEnd() != 0) return {at, at, true};
    if (matches) return {at, matcher_->end(status), false};
  }
  return {limit, limit, true};
}

void PatternScanner::scan_regex(bool ended, const Item& item) {
  const int size = held_.length();
  int begin = 0;  // of what is not handed out
  const auto hand_out = [&](int end, bool match) {
    if (end > begin) item(utf8(held_, begin, end), match);
    begin = end;
  };
  matcher_->reset(held_);
  while (begin < size) {
    // A match that goes on for longer than any sensible one is cut, by its length alone.
    int limit = begin > size - kLongest ? size : begin + kLongest;
    if (limit < size && U16_IS_TRAIL(held_[limit])) --limit;
    Found found = find(begin, limit);
    if (found.open && !(ended && limit == size)) {
      const Found open = first_open(begin, limit);
      if (open.open) {
        const bool stuck = open.start == begin;
        hand_out(open.start, false);
        if (!stuck) continue;
        if (limit - begin < kLongest - 1) break;
      } else {
        found = open;
      }
    }
    hand_out(found.start, false);
    hand_out(found.end, true);
  }
  held_.remove(0, begin);
  // An unfinished match is not looked at again for every byte that arrives: a word twice as long takes twice
  // as long, not four times.
  retry_at_ = held_.length() < 256 ? 0 : held_.length() + held_.length() / 4;
}

void PatternScanner::save(Archive& group) const {
  group.set("held", matcher_ == nullptr ? literal_held_ : utf8(held_, 0, held_.length()));
}

void PatternScanner::load(const Archive& group) {
  reset();
  const auto held = group.get<std::string>("held");
  if (matcher_ == nullptr)
    literal_held_ = held;
  else
    held_ = icu::UnicodeString::fromUTF8(held);
}

}  // namespace stream::llm
