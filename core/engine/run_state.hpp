/// What all parts of one run share: why it stops, what waits, and what a checkpoint has collected.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/engine.hpp"
#include "engine/latency.hpp"
#include "stream/archive.hpp"

namespace stream {

/// Steady-clock nanoseconds, the clock of Packet::arrival.
inline std::int64_t steady_now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

class RunState {
 public:
  // --- stopping
  enum class Stop : int {
    kNo,
    kFinish,   ///< sources end as if their input had: everything is flushed (errors, closed pipes, signals
               ///< without checkpoint)
    kSuspend,  ///< sources stop where they are: a last checkpoint is taken, nothing is flushed
  };
  Stop stop() const { return stop_.load(std::memory_order_acquire); }
  bool stopping() const { return stop() != Stop::kNo; }
  void request_stop(Stop how) {
    auto expected = Stop::kNo;
    if (stop_.compare_exchange_strong(expected, how)) wake();
  }
  /// Keeps the first error and stops the sources.
  void fail(const Error& error) {
    {
      const std::scoped_lock lock(mutex_);
      if (!error_) error_ = error;
      stop_ = Stop::kFinish;  // also when a suspension was under way: there is nothing sound to suspend
      changed_.notify_all();
    }
  }
  std::optional<Error> error() const {
    const std::scoped_lock lock(mutex_);
    return error_;
  }
  std::atomic<bool> closed_pipe{false};

  // --- waiting
  void wake() {
    const std::scoped_lock lock(mutex_);
    changed_.notify_all();
  }
  /// After work was done that a waiting source may have waited for.
  void wake_sources() {
    if (waiting_sources.load() > 0) wake();
  }
  template <typename Predicate>
  void wait(Duration at_most, Predicate done) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, done);
  }
  std::atomic<int> waiting_sources{0}, running_sources{0};
  std::atomic<bool> suspended{false};      ///< the last checkpoint is complete: sources may go
  std::atomic<std::int64_t> messages{0};   ///< batches on their way to a stage or in work there
  std::atomic<std::uint64_t> activity{0};  ///< grows with every activation: tells progress from a stall

  std::atomic<std::uint64_t> publish{0};  ///< raised when somebody wants progress and state sizes anew

  // --- checkpoints
  bool checkpointing = false;             ///< set before the run
  std::atomic<std::uint64_t> barrier{0};  ///< the newest checkpoint asked for
  /// Called by a stage as the barrier passes it, or when it ends for good.
  void answer(std::size_t stage, std::uint64_t number, std::shared_ptr<Archive> state, bool ended) {
    const std::scoped_lock lock(mutex_);
    (ended ? ended_ : answers_[number])[stage] = std::move(state);
    changed_.notify_all();
  }
  /// All stages' states of that checkpoint, when complete; also forgets it.
  bool collect(std::uint64_t number, std::size_t stages,
               std::map<std::size_t, std::shared_ptr<Archive>>& out) {
    const std::scoped_lock lock(mutex_);
    out = answers_[number];  // a stage that has ended since then answered with its state at the barrier
    out.insert(ended_.begin(), ended_.end());
    if (out.size() < stages) return false;
    answers_.clear();
    return true;
  }

  int threads = 1;  ///< of the graph

  // --- measuring
  LatencyHistogram latency;
  bool realtime = false;
  std::int64_t started = steady_now();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<Stop> stop_{Stop::kNo};
  std::optional<Error> error_;
  std::map<std::uint64_t, std::map<std::size_t, std::shared_ptr<Archive>>> answers_;
  std::map<std::size_t, std::shared_ptr<Archive>> ended_;
};

}  // namespace stream
