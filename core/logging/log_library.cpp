/// libstream-log: messages through spdlog.
#include "logging/log_library.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>

#include "stream/value.hpp"

namespace stream {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    default:
      return spdlog::level::err;
  }
}

/// `%*` of the pattern: "node: ", or nothing for a message of no node. The node is the logger's name.
class OriginFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    if (message.logger_name.size() == 0) return;
    line.append(message.logger_name.begin(), message.logger_name.end());
    line.append(std::string_view(": "));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<OriginFlag>(); }
};

/// One JSON object a line. spdlog's patterns cannot do this: they do not escape what they quote.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const auto level = spdlog::level::to_string_view(message.level);
    Object object{{"time", utc(message.time)}, {"level", std::string_view(level.data(), level.size())}};
    if (message.logger_name.size() > 0)
      object.set("node", std::string_view(message.logger_name.data(), message.logger_name.size()));
    object.set("message", std::string_view(message.payload.data(), message.payload.size()));
    const std::string text = Value(std::move(object)).dump() + "\n";
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }

 private:
  /// "2026-01-31T09:05:07.123Z"
  static std::string utc(spdlog::log_clock::time_point time) {
    const std::time_t whole = spdlog::log_clock::to_time_t(time);
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
    std::tm parts{};
    gmtime_r(&whole, &parts);
    char date[32], text[48];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(milliseconds));
    return text;
  }
};

class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LineWriter writer) : writer_(writer) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

 private:
  LineWriter writer_;
};

class SpdLog final : public Log {
 public:
  SpdLog(LogFormat format, LineWriter writer) : sink_(writer) {
    if (format == LogFormat::kJson) {
      sink_.set_formatter(std::make_unique<JsonFormatter>());
    } else {
      auto text = std::make_unique<spdlog::pattern_formatter>();
      text->add_flag<OriginFlag>('*').set_pattern("stream: %l: %*%v");
      sink_.set_formatter(std::move(text));
    }
  }
  /// Past spdlog's loggers: each node is an origin, and what passes has been decided in `stream::log`.
  void tell(LogLevel level, std::string_view origin, std::string_view message) override {
    sink_.log(spdlog::details::log_msg(spdlog::string_view_t(origin.data(), origin.size()), level_of(level),
                                       spdlog::string_view_t(message.data(), message.size())));
  }

 private:
  LineSink sink_;
};

std::unique_ptr<Log> open(LogFormat format, LineWriter writer) {
  return std::make_unique<SpdLog>(format, writer);
}

}  // namespace
}  // namespace stream

extern "C" __attribute__((visibility("default"))) const stream::LogLibrary* stream_log_library() {
  static const stream::LogLibrary library{&stream::open};
  return &library;
}
