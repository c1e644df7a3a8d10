/// stderr: log messages as text or JSON, and one line of progress that they never tear.
#pragma once

#include <string>

#include "logging/log_library.hpp"

namespace stream::cli {

/// Sends stream::log there. Once, before the first message.
void log_to_console(LogFormat format, LogLevel least);

/// Redraws the progress line; an empty one removes it.
void show_progress(const std::string& line);
/// Puts what operators say through stream::show_line above the progress line.
void show_lines_on_console();
/// Columns of the terminal on stderr; 80 when that is unknown.
std::size_t console_width();
bool stderr_is_terminal();

}  // namespace stream::cli
