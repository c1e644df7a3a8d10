/// Searching for a string or a regular expression in text that is still arriving.
#pragma once

#include <unicode/regex.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "stream/archive.hpp"

namespace stream::llm {

/// A string, or a regular expression in the dialect of Hugging Face's tokenizers (Oniguruma's). Immutable.
class Pattern {
 public:
  static std::shared_ptr<const Pattern> literal(std::string text);
  /// Throws Error(kBadData) for one that ICU cannot compile, and for one whose matches depend on text in
  /// front of them (look-behind, \b, ^): such text may be gone when the match arrives.
  static std::shared_ptr<const Pattern> regex(const std::string& expression);

  const std::string& text() const { return literal_; }
  const icu::RegexPattern* compiled() const { return compiled_.get(); }  ///< null for a string

 private:
  std::string literal_;
  std::unique_ptr<const icu::RegexPattern> compiled_;
};

/// Cuts a text into matches and what lies between them.
class PatternScanner {
 public:
  /// Called with text that is not empty and whether it is a match. What lies between two matches may come in
  /// several calls.
  using Item = std::function<void(std::string_view text, bool match)>;

  explicit PatternScanner(std::shared_ptr<const Pattern> pattern);
  /// Hands out what is decided. With `ended` all of it is, and the next call begins a new text. Throws
  /// Error(kBadData) when the expression needs more time or memory than any sensible one.
  void scan(std::string_view utf8, bool ended, const Item& item);
  void reset();
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  void scan_literal(bool ended, const Item& item);
  void scan_regex(bool ended, const Item& item);
  struct Found {
    int start, end;  ///< both `limit` when there is none
    bool open;       ///< more text could change it
  };
  /// The first match in [begin, limit), as if the text ended there.
  Found find(int begin, int limit);
  /// The first place from which a match could still be coming, or the first match when that is before it.
  Found first_open(int begin, int limit);

  std::shared_ptr<const Pattern> pattern_;
  std::unique_ptr<icu::RegexMatcher> matcher_;
  std::string literal_held_;
  icu::UnicodeString held_;
  int retry_at_ = 0;  ///< units to be held before it is worth scanning again
};

}  // namespace stream::llm
