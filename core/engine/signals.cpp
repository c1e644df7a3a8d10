#include "engine/signals.hpp"

#include <unistd.h>

#include <atomic>

namespace stream {
namespace {

/// Written by whichever thread the signal comes to, read by the supervisor.
std::atomic<int> noted = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait");

extern "C" void note_signal(int number) {
  if (noted != 0 && number == SIGINT) _exit(128 + SIGINT);
  noted = number;
}

}  // namespace

SignalGuard::SignalGuard(bool take_over) : taken_(take_over) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &pipe_);
  sigaction(SIGXFSZ, &ignore, &file_size_);
  if (!taken_) return;
  noted = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;  // without SA_RESTART: blocking calls return and look around
  sigaction(SIGINT, &action, &interrupt_);
  sigaction(SIGTERM, &action, &terminate_);
}

SignalGuard::~SignalGuard() {
  sigaction(SIGPIPE, &pipe_, nullptr);
  sigaction(SIGXFSZ, &file_size_, nullptr);
  if (!taken_) return;
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
}

int SignalGuard::received() { return noted; }

}  // namespace stream
