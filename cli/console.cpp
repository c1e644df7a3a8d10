#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <mutex>

#include "stream/error.hpp"
#include "stream/log.hpp"

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

/// One line of the log, above the progress line where there is one.
void write_line(std::string_view line) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  write_stderr(c.progress.empty() ? std::string(line) : "\r\x1b[K" + std::string(line) + c.progress);
}

/// Opens the log with the first message. Where spdlog cannot be loaded, the message matters more than its
/// form.
void tell(LogLevel level, std::string_view origin, std::string_view message) {
  static Log* const log = [] {
    try {
      return log_library().open(console().format, &write_line).release();  // as the console: never destroyed
    } catch (const Error& e) {
      write_line("stream: error: " + std::string(e.what()) + "\n");
      return static_cast<Log*>(nullptr);
    }
  }();
  if (log != nullptr)
    log->tell(level, origin, message);
  else
    write_line("stream: " + std::string(origin) + (origin.empty() ? "" : ": ") + std::string(message) + "\n");
}

}  // namespace

void log_to_console(LogFormat format, LogLevel least) {
  console().format = format;
  set_log_sink(&tell, least);
}

void show_progress(const std::string& line) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  if (c.progress.empty() && line.empty()) return;
  c.progress = line;
  write_stderr("\r\x1b[K" + line);
}

void show_lines_on_console() {
  set_line_display([](std::string_view line) {
    std::string text(line);
    // Data must not steer the terminal.
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    write_line(text + "\n");
  });
}

std::size_t console_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace stream::cli
