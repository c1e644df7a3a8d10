#include "stream/log.hpp"

#include <unistd.h>

#include <atomic>

namespace stream {
namespace {

void plain(LogLevel level, std::string_view origin, std::string_view message) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  std::string line = std::string("stream: ") + kNames[static_cast<int>(level)] + ": ";
  if (!origin.empty()) line.append(origin).append(": ");
  line.append(message).push_back('\n');
  // One write for each line keeps lines of several threads apart; a failing stderr has nobody to tell.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

std::atomic<LogSink> sink{plain};
std::atomic<LogLevel> threshold{LogLevel::kInfo};
std::atomic<LineDisplay> display{nullptr};

}  // namespace

void log(LogLevel level, std::string_view origin, std::string_view message) {
  if (level >= threshold.load(std::memory_order_relaxed)) sink.load()(level, origin, message);
}

void show_line(std::string_view line) {
  if (const LineDisplay shown = display.load()) shown(line);
}

void set_line_display(LineDisplay replacement) { display = replacement; }

void set_log_sink(LogSink replacement, LogLevel least) {
  sink = replacement ? replacement : plain;
  threshold = least;
}

}  // namespace stream
