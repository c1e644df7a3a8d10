/// SIGINT and SIGTERM while a run goes on; SIGPIPE and SIGXFSZ never end the program: the
/// write that caused them fails and says why.
#pragma once

#include <csignal>

namespace stream {

/// Takes the signals over for its lifetime. The first SIGINT or SIGTERM is noted; a second SIGINT ends the
/// process at once.
class SignalGuard {
 public:
  explicit SignalGuard(bool take_over);
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;
  /// The signal that came, or 0.
  static int received();

 private:
  bool taken_;
  struct sigaction interrupt_ {
  }, terminate_{}, pipe_{}, file_size_{};
};

}  // namespace stream
