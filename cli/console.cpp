#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "stream/value.hpp"

namespace stream::cli {
namespace {

struct Console {
  std::mutex mutex;
  std::string progress;
  LogFormat format = LogFormat::kText;
};
// Reached from a plain function pointer, at any time until the process ends: never destroyed.
Console& console() {
  static Console& instance = *new Console;
  return instance;
}

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;  // nobody left to tell
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

const char* name_of_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    default:
      return "error";
  }
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t whole = std::chrono::system_clock::to_time_t(now);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(ms));
  return text;
}

void sink(LogLevel level, std::string_view origin, std::string_view message) {
  Console& c = console();
  std::string line;
  if (c.format == LogFormat::kJson) {
    line = json_log_line(level, origin, message, utc_now());
  } else {
    line = std::string("stream: ") + name_of_level(level) + ": ";
    if (!origin.empty()) line.append(origin).append(": ");
    line.append(message);
    line += '\n';
  }
  const std::lock_guard lock(c.mutex);
  write_stderr(c.progress.empty() ? line : "\r\x1b[K" + line + c.progress);
}

}  // namespace

std::string json_log_line(LogLevel level, std::string_view origin, std::string_view message,
                          std::string_view time) {
  Object object{{"time", time}, {"level", name_of_level(level)}};
  if (!origin.empty()) object.set("node", origin);
  object.set("message", message);
  return Value(std::move(object)).dump() + "\n";
}

void log_to_console(LogFormat format, LogLevel least) {
  console().format = format;
  set_log_sink(&sink, least);
}

void show_progress(const std::string& line) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  if (c.progress.empty() && line.empty()) return;
  c.progress = line;
  write_stderr("\r\x1b[K" + line);
}

std::size_t console_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace stream::cli
