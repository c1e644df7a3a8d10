/// What the laws are tried on: one operator from its making to its end, as plain data, and what came of it.
/// Plain, because most scenarios are played in another process.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "stream/archive.hpp"
#include "stream/packet.hpp"

namespace stream::laws {

/// A packet on its way into an input port.
struct Input {
  std::size_t port = 0;
  Packet packet;
};
using Inputs = std::vector<Input>;

/// What a source finds behind its path.
struct Feed {
  std::string bytes;
  std::string ending = {};  ///< of the file's name: ".wav"
  std::size_t most = 0;     ///< 0: a file; else a pipe that brings pieces of 1 to `most` bytes
  std::uint64_t seed = 0;   ///< of the pieces' lengths
  bool slow = false;        ///< each piece waits until the one before it was read
};

inline constexpr std::size_t kToTheEnd = std::numeric_limits<std::size_t>::max();

struct Scenario {
  Inputs inputs;                      ///< of an operator or sink
  std::optional<Feed> feed = {};      ///< of a source
  std::optional<Archive> state = {};  ///< loaded first
  /// Saved before this input (a source: after so many reads), then dropped without `finish`.
  std::size_t stop = kToTheEnd;
  /// Inputs processed after the save all the same: what a crash after the checkpoint loses (sinks).
  std::size_t lost = 0;
  /// Before these inputs it is asked for its state, its size and its progress, as the graph may at any time.
  std::vector<std::size_t> probes = {};
  /// What it refuses by throwing is passed over, as with `on_error = "skip"`.
  bool skip_errors = false;
  std::string output = {};  ///< path that a sink writes to
};

struct Emission {
  std::size_t port = 0;
  std::size_t step = 0;  ///< index of the input (the read) during which it came; their number in `finish`
  Packet packet;
};

enum class Phase : std::uint32_t { kMake, kLoad, kProcess, kRead, kFinish, kSave, kAsk, kDestroy, kGraph };
const char* name_of(Phase phase);  ///< "process", ...

struct Fault {
  enum class Kind : std::uint8_t {
    kError,    ///< stream::Error: the operator said no
    kForeign,  ///< another std::exception
    kUnknown,  ///< something thrown that is no exception
    kCrash,    ///< ended by a signal
    kExit,     ///< ended the process by itself
    kHang,     ///< no progress within the time allowed
    kMemory,   ///< more memory than allowed
  };
  Kind kind = Kind::kError;
  std::string message;
  Phase phase = Phase::kMake;
  std::size_t step = 0;
  /// True for what an operator may not do whatever it is given.
  bool fatal() const { return kind >= Kind::kUnknown; }
};

struct Outcome {
  std::vector<Emission> emitted;
  std::optional<Archive> state;  ///< when the scenario stops
  std::string written;           ///< by a sink, when it has ended
  std::size_t reads = 0;         ///< of a source
  std::optional<Fault> fault;
  std::vector<Fault> refused;  ///< with skip_errors
};

/// State and memory after so many packets.
struct Measure {
  std::uint64_t packets = 0;
  std::uint64_t stated = 0;    ///< largest `state_bytes()` since the measure before
  std::uint64_t saved = 0;     ///< largest archive since then
  std::uint64_t heap = 0;      ///< bytes allocated now; 0 where the allocator does not tell
  std::uint64_t resident = 0;  ///< bytes of the process in memory now
};
struct Measures {
  std::vector<Measure> points;  ///< each after twice as many packets as the one before
  std::optional<Fault> fault;
};

/// The whole graph around copies of the operator: sources that bring the inputs, sinks that collect.
struct GraphRun {
  Inputs inputs;
  int threads = 1;
  std::uint64_t seed = 0;  ///< of the delays; 0: none
  std::size_t copies = 2;
};
struct GraphOutcome {
  std::vector<std::vector<Emission>> emitted;  ///< by copy; steps are not known
  std::vector<std::string> written;            ///< by copy of a sink
  std::optional<Fault> fault;
};

}  // namespace stream::laws
