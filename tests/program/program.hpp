/// Runs programs as a user's shell would: with arguments, bytes on stdin, a working folder, a deadline.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stream::testing {

struct Program {
  std::vector<std::string> argv;              ///< argv[0] is a path, or a name looked up in $PATH
  std::string input;                          ///< bytes for stdin, then end of file
  std::string input_file = {};                ///< opened as stdin instead of `input` when not empty
  std::string output_file = {};               ///< opened as stdout instead of being collected when not empty
  std::size_t piece = 1 << 16;                ///< `input` is written in pieces of so many bytes
  std::filesystem::path folder = {};          ///< working folder; empty: this program's
  std::vector<std::string> environment = {};  ///< "NAME=value", added to this program's
  /// Then it is killed and `timed_out` is set. Ten times as much in a build with a sanitizer.
  std::chrono::milliseconds deadline{60'000};
  /// When set, stdin stays open after `input` until the program has ended, and this is called with its
  /// process id once `input` is written: the place for a test to send a signal.
  std::function<void(int pid)> when_fed = {};
};

struct Outcome {
  int exit_code = -1;  ///< as a shell shows it: 128 + signal when a signal ended it
  int signal = 0;      ///< the signal that ended it, 0 when it exited by itself
  bool timed_out = false;
  std::string out, err;
  double wall_seconds = 0, cpu_seconds = 0;
  std::size_t peak_bytes = 0;  ///< largest resident set
};

/// Throws std::system_error when the program cannot be started at all.
Outcome run(const Program& program);

/// A new folder that is removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::string contents(const std::filesystem::path& file);
void write_contents(const std::filesystem::path& file, std::string_view bytes);

}  // namespace stream::testing
