/// The clock of the comparisons: processor time, which is what one core has to give; the rest of the machine
/// may be busy.
#pragma once

#include <ctime>

namespace stream::bench {

/// Seconds of processor time that this thread has had.
inline double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Those that f takes.
template <typename F>
double thread_seconds_of(F f) {
  const double start = thread_seconds();
  f();
  return thread_seconds() - start;
}

}  // namespace stream::bench
