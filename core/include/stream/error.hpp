/// The one error type: what went wrong, where, and the exit code that it deserves.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stream {

/// Exit codes of every command (sysexits numbers where they fit).
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,        ///< anything without a number of its own
  kUsage = 2,         ///< wrong command line
  kBadData = 65,      ///< input that is damaged, cut short or of the wrong kind
  kNoInput = 66,      ///< an input that is missing or cannot be read
  kCannotWrite = 74,  ///< output that cannot be written
  kTryAgain = 75,     ///< worth retrying later
  kBadRecipe = 78,    ///< a recipe, parameter or plugin that cannot work
};

/// Thrown for whatever ends a run (or, with `on_error = "skip"`, loses one packet).
/// The message states what was expected; context such as a node or file is added in front with `within`.
class Error : public std::runtime_error {
 public:
  explicit Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }
  /// The same error with "context: " in front of its message.
  Error within(std::string_view context) const;

 private:
  ExitCode code_;
};

/// Shorthands: `throw bad_data("...")`.
inline Error failed(const std::string& m) { return Error(ExitCode::kFailed, m); }
inline Error bad_data(const std::string& m) { return Error(ExitCode::kBadData, m); }
inline Error no_input(const std::string& m) { return Error(ExitCode::kNoInput, m); }
inline Error cannot_write(const std::string& m) { return Error(ExitCode::kCannotWrite, m); }
inline Error bad_recipe(const std::string& m) { return Error(ExitCode::kBadRecipe, m); }

/// The candidate nearest to `word` by edit distance, or empty when none is near enough to be a misspelling.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// " (did you mean 'x'?)" or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace stream
