/// The one logging call. Goes to stderr (stdout carries data); the host decides on level and format.
/// Not for every packet: count, and let the summary tell.
#pragma once

#include <string>
#include <string_view>

namespace stream {

enum class LogLevel : int { kDebug, kInfo, kWarning, kError };

/// `origin`: the node's id, or empty. Thread-safe.
void log(LogLevel level, std::string_view origin, std::string_view message);
inline void log_debug(std::string_view origin, std::string_view m) { log(LogLevel::kDebug, origin, m); }
inline void log_info(std::string_view origin, std::string_view m) { log(LogLevel::kInfo, origin, m); }
inline void log_warning(std::string_view origin, std::string_view m) { log(LogLevel::kWarning, origin, m); }
inline void log_error(std::string_view origin, std::string_view m) { log(LogLevel::kError, origin, m); }

/// One line for whoever watches, such as a running score: appears above the progress line where one is drawn
/// on a terminal, and nowhere else. Thread-safe.
void show_line(std::string_view line);

/// For the host: where `show_line` goes; null for nowhere, which is the default.
using LineDisplay = void (*)(std::string_view line);
void set_line_display(LineDisplay display);
/// For the host: replaces the sink (the default prints plain lines to stderr) and the least level that
/// passes.
using LogSink = void (*)(LogLevel, std::string_view origin, std::string_view message);
void set_log_sink(LogSink sink, LogLevel least);

}  // namespace stream
