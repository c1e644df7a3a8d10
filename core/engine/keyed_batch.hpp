/// Packets of several keys, computed side by side and given out in the order in which they came in.
///
/// Operators with a state for each key owe nothing to the order between keys, only to that within one. So a
/// run of packets is split by key, the keys are computed on the threads of the graph, each into a list of its
/// own, and the lists are then emitted packet by packet. What comes out, and the state after it, is what one
/// thread would have made: neither threads nor the length of the run show (laws 3 and 4).
#pragma once

#include <exception>
#include <optional>
#include <vector>

#include "stream/operator.hpp"

namespace stream {

/// What an operator emits while others of its node compute: kept until it is this packet's turn.
class Recorder final : public Output {
 public:
  explicit Recorder(const Output& of) : of_(of) {}
  bool unused(std::size_t port) const override { return of_.unused(port); }
  struct Emission {
    std::size_t port;
    std::optional<Packet> packet;  ///< none: the clock of the port moves to `clock`
    Time clock;
  };
  std::vector<Emission>& emissions() { return emissions_; }

 protected:
  void put(std::size_t port, Packet&& packet) override {
    emissions_.push_back({port, std::move(packet), {}});
  }
  void mark(std::size_t port, Time time) override { emissions_.push_back({port, std::nullopt, time}); }

 private:
  const Output& of_;
  std::vector<Emission> emissions_;
};

/// One packet, and what came of it.
struct KeyedCall {
  std::size_t port;
  Packet packet;
  std::uint64_t number;  ///< of the packets that have reached the node, from 1
  Operator* op;          ///< the instance of its key; null when that could not be made, `error` says why
  std::exception_ptr error;
  std::int64_t nanoseconds = 0;
  Recorder made;
};

/// Runs every call, those of one instance in order, different instances side by side. Returns when all have
/// ended; what they throw is in the calls. Call it from within the arena.
void run_by_key(std::vector<KeyedCall>& calls, bool many_inputs);

}  // namespace stream
