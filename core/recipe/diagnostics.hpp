/// Faults in a recipe, all reported at once, each with a caret.
#pragma once

#include <string>
#include <vector>

namespace stream {

struct Location {
  std::string file;
  int line = 0, column = 0;  ///< from 1; 0 when unknown
};

struct Diagnostic {
  Location where;
  std::string message;
  bool warning = false;
};

class Diagnostics {
 public:
  void error(Location where, std::string message) {
    list_.push_back({std::move(where), std::move(message), false});
  }
  void warning(Location where, std::string message) {
    list_.push_back({std::move(where), std::move(message), true});
  }
  bool has_errors() const;
  const std::vector<Diagnostic>& list() const { return list_; }
  /// The source text of a file, for carets.
  void add_source(const std::string& file, std::string text);
  /// "file:line:col: error: message", the line and a caret under it, for each, in the order of the file.
  std::string text() const;
  /// Throws Error(kBadRecipe) with text() when there are errors.
  void check() const;

 private:
  std::vector<Diagnostic> list_;
  std::vector<std::pair<std::string, std::string>> sources_;
};

}  // namespace stream
