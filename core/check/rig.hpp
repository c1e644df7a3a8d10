/// Plays a scenario in this process, as a node of the graph would: one instance for each key, errors caught,
/// promises not enforced (that is what the laws are for).
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "check/runner.hpp"
#include "stream/laws.hpp"

namespace stream::laws {

/// Where a play stands, for whoever must say what it died of; in shared memory when another process watches.
struct Progress {
  std::atomic<std::uint32_t> phase{0};
  std::atomic<std::uint64_t> step{0};
  std::atomic<std::uint64_t> beats{0};
  void at(Phase where, std::size_t index) {
    phase.store(static_cast<std::uint32_t>(where), std::memory_order_relaxed);
    step.store(index, std::memory_order_relaxed);
    beats.fetch_add(1, std::memory_order_release);
  }
};

Outcome play(const Subject& subject, const Scenario& scenario, Progress& progress);
Measures play_growing(const Subject& subject, const Scenario& scenario, std::uint64_t packets, double seconds,
                      Progress& progress);

/// The exception in flight as a fault. Call inside a catch block.
Fault fault_in_flight(const Progress& progress);

/// Bytes of this process in memory.
std::uint64_t resident_bytes();

/// Plays in this process; a fresh one is stood for by a fresh instance and a state that shares nothing.
class LocalRunner final : public Runner {
 public:
  explicit LocalRunner(Subject subject) : subject_(std::move(subject)) {}
  Outcome run(const Scenario& scenario, Where where) override;
  Measures measure(const Scenario& scenario, std::uint64_t packets, double seconds) override;

 private:
  Subject subject_;
  Progress progress_;
};

}  // namespace stream::laws
