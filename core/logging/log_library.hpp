/// Log messages for a program that starts without spdlog: the library is loaded when there is the first one
/// to tell.
#pragma once

#include <memory>
#include <string_view>

#include "stream/log.hpp"

namespace stream {

enum class LogFormat { kText, kJson };

/// A log on spdlog: one line for each message, as text or as JSON.
class Log {
 public:
  virtual ~Log() = default;
  /// `origin`: the node, or empty. Thread-safe; lines do not mix.
  virtual void tell(LogLevel level, std::string_view origin, std::string_view message) = 0;
};

/// Where whole lines go, their line feeds included.
using LineWriter = void (*)(std::string_view line);

/// What libstream-log offers, behind its `extern "C" const LogLibrary* stream_log_library()`.
struct LogLibrary {
  std::unique_ptr<Log> (*open)(LogFormat format, LineWriter writer);
};
/// Loads libstream-log beside libstream. Throws Error(kFailed).
const LogLibrary& log_library();

}  // namespace stream
