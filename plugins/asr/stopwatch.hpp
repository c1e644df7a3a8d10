/// How long a piece of work takes, by two clocks.
#pragma once

#include <chrono>
#include <ctime>

namespace stream::asr {

/// Milliseconds since it was made. Processor time is that of the calling thread, so it does not count while
/// another process has the core; kernels run on that thread alone unless OMP_NUM_THREADS says otherwise.
class Stopwatch {
 public:
  Stopwatch() : wall_(std::chrono::steady_clock::now()), processor_(processor_now()) {}
  double wall() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - wall_).count();
  }
  double processor() const { return processor_now() - processor_; }

 private:
  static double processor_now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
  }
  std::chrono::steady_clock::time_point wall_;
  double processor_;
};

}  // namespace stream::asr
