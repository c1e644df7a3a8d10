/// stderr: log messages as text or JSON, and one line of progress that they never tear.
#pragma once

#include <string>

#include "stream/log.hpp"

namespace stream::cli {

enum class LogFormat { kText, kJson };
/// Sends stream::log there.
void log_to_console(LogFormat format, LogLevel least);

/// Redraws the progress line; an empty one removes it.
void show_progress(const std::string& line);
/// Columns of the terminal on stderr; 80 when that is unknown.
std::size_t console_width();
bool stderr_is_terminal();

/// One log message as a line of JSON, whatever bytes it holds.
std::string json_log_line(LogLevel level, std::string_view origin, std::string_view message,
                          std::string_view time);

}  // namespace stream::cli
