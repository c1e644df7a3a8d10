/// A process that speaks lines: what it reads on stdin and writes on stdout, one side of a dialogue.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "stream/time.hpp"

namespace stream {

class LineProcess {
 public:
  /// Starts `command` in a shell; its stderr is ours. Throws Error(kFailed) when there can be no process.
  explicit LineProcess(std::string command);
  /// Closes its stdin; ends it and what it started if that does not.
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// Hands a line over. Throws Error(kFailed) when it is gone, or has not taken it by the deadline.
  void say(std::string line, std::chrono::steady_clock::time_point deadline);
  enum class Status : std::uint8_t { kLine, kEnd, kTimeout, kInterrupted };
  /// The next line it writes, without its end; a last line without one counts. Lines end at 16 MiB: more
  /// throws Error(kBadData). kEnd: it has closed its stdout.
  Status hear(std::string& line, std::chrono::steady_clock::time_point deadline);
  /// From any thread: the `hear` that waits now, or else the next one, returns kInterrupted.
  void interrupt();

  /// Once it has closed its stdout: waits a second for it to end, and says how it did. "exit code 3", "signal
  /// 9 (Killed)"; empty for exit code 0 and for one that goes on.
  std::string fate();

 private:
  std::string command_;
  pid_t process_ = -1;
  int socket_ = -1, wake_ = -1;
  std::string heard_;
  std::size_t scanned_ = 0;
  bool ended_ = false;
};

}  // namespace stream
