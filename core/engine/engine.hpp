/// Runs a plan. The engine is a library of its own (it brings oneTBB and HDF5), loaded when first
/// needed, so that listing and validating start in milliseconds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace stream {

struct RunOptions {
  int threads = 0;  ///< 0: as many as there are processors
  std::uint64_t seed = 0;
  std::string device = "cpu";
  std::string cache_dir;
  std::string checkpoint;  ///< path; empty: no checkpoints
  Duration every = std::chrono::seconds(30);
  int keep = 3;  ///< checkpoints kept: FILE, FILE.1, FILE.2
  bool resume = false;
  /// What readers of pipes have already: it is not written again, and a resume takes no checkpoint that is
  /// ahead of them.
  struct Received {
    std::string node;  ///< a sink; empty: the recipe's output
    std::uint64_t bytes;
  };
  std::vector<Received> received;
  bool realtime = false;             ///< --pace realtime
  std::optional<Duration> max_time;  ///< wall-clock
  bool handle_signals = true;        ///< SIGINT, SIGTERM: last checkpoint and end
  Duration stall_after = std::chrono::seconds(10);
  struct Tap {
    std::string edge;
    std::size_t count;
  };  ///< edge: "node" or "node.port"; count 0: all
  std::vector<Tap> taps;
};

struct NodeMetrics {
  std::string id, op;
  std::uint64_t packets_in = 0, packets_out = 0, bytes_out = 0, errors = 0, dropped = 0;
  double seconds = 0;      ///< inside the operator (sampled where it is cheap)
  std::size_t queued = 0;  ///< packets waiting now
  std::size_t state_bytes = 0;
  std::string progress;
};

struct RunMetrics {
  double wall_seconds = 0;
  double stream_seconds = 0;  ///< event time reached by the slowest sink
  double fraction = -1;       ///< of the input read, negative when unknown
  std::uint64_t checkpoints = 0;
  double latency_p50 = 0, latency_p99 = 0, latency_max = 0;  ///< seconds from source to sink
  bool realtime_meaningful = false;  ///< stream_seconds stems from media, not from counters
  std::vector<NodeMetrics> nodes;    ///< in plan order
};

struct RunResult {
  int exit_code = 0;  ///< 0, an ExitCode, or 128 + signal
  std::string error;  ///< message when it failed
  bool resumed = false, already_finished = false;
  RunMetrics metrics;
};

/// Called about ten times a second from a thread of its own, and once at the end.
using Observer = std::function<void(const RunMetrics&, bool last)>;

class Engine {
 public:
  virtual ~Engine();
  virtual RunResult run(const Plan& plan, Registry& registry, const RunOptions& options,
                        const Observer& observer) = 0;
};
/// Loads libstream-engine beside libstream; its entry is `extern "C" stream::Engine* stream_engine()`. Throws
/// Error(kFailed).
Engine& engine();

/// Sets what must be set before the first tensor library is mapped, unless the user has: OPENBLAS_CORETYPE
/// from CPUID, OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and friends to 1. Returns what it chose, as (variable,
/// value, why) for `doctor`.
struct ProcessSetting {
  std::string variable, value, reason;
};
std::vector<ProcessSetting> prepare_process();

}  // namespace stream
