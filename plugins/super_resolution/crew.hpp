/// A few threads that share jobs. Which of them takes which job is open, so jobs must not depend on each
/// other.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace stream::super_resolution {

class Crew {
 public:
  explicit Crew(int workers) {
    for (int i = 1; i < workers; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~Crew() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    begin_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  int workers() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls job(number, worker) for numbers 0 to count - 1 and returns when all are done. The caller is worker
  /// 0.
  void run(int count, const std::function<void(int, int)>& job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      count_ = count;
      next_ = 0;
      busy_ = static_cast<int>(threads_.size());
      ++round_;
    }
    begin_.notify_all();
    take(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    job_ = nullptr;
    if (failure_) std::rethrow_exception(std::exchange(failure_, {}));
  }

 private:
  void work(int worker) {
    std::uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        begin_.wait(lock, [&] { return ending_ || round_ != seen; });
        if (ending_) return;
        seen = round_;
      }
      take(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }
  void take(int worker) {
    for (;;) {
      int number = 0;
      {
        const std::lock_guard lock(mutex_);
        if (next_ >= count_) return;
        number = next_++;
      }
      try {
        (*job_)(number, worker);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable begin_, done_;
  const std::function<void(int, int)>* job_ = nullptr;
  int count_ = 0, next_ = 0, busy_ = 0;
  std::uint64_t round_ = 0;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace stream::super_resolution
