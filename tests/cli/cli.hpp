/// `stream ARGUMENTS...` for tests.
#pragma once

#include <string>
#include <vector>

#include "program/program.hpp"

namespace stream::testing {

inline std::string stream_path() { return std::string(STREAM_BINARY_DIR) + "/bin/stream"; }

inline Program stream_program(std::vector<std::string> arguments, std::string input = {}) {
  Program program;
  program.argv = std::move(arguments);
  program.argv.insert(program.argv.begin(), stream_path());
  program.input = std::move(input);
  return program;
}

inline Outcome stream_run(std::vector<std::string> arguments, std::string input = {},
                          const std::filesystem::path& folder = {}) {
  Program program = stream_program(std::move(arguments), std::move(input));
  program.folder = folder;
  return run(program);
}

/// `command` in bash, with the program on the path.
inline Outcome shell(const std::string& command, const std::filesystem::path& folder) {
  Program program;
  program.argv = {"/bin/bash", "-c", "PATH=" STREAM_BINARY_DIR "/bin:$PATH; " + command};
  program.folder = folder;
  return run(program);
}

/// Copies lines: stdin to stdout unless -i and -o say otherwise.
inline constexpr const char* kCopyLines = R"(title = "Copy lines"

[nodes.lines]
use = "text.read"
path = "-"

[nodes.out]
use = "text.write"
from = "lines"
path = "-"
)";

}  // namespace stream::testing
