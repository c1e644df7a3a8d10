/// One operator in a running graph: its instances, its outputs, its counters.
#pragma once

#include <map>
#include <string>

#include "engine/counter.hpp"
#include "engine/edge.hpp"
#include "engine/run_state.hpp"
#include "registry/registry.hpp"

namespace stream {

class Node final : public Output {
 public:
  /// Makes the operator (and loads its plugin when it is the first of it).
  Node(const PlannedNode& planned, Registry& registry, Context context, RunState& run);

  // --- wiring, before the run
  void fuse(std::size_t port, Node& next, std::size_t next_port);
  void connect(std::size_t port, Edge& edge) { ports_[port].edges.push_back(&edge); }
  void tap(std::size_t port, std::size_t count);

  // --- running: by the stage's thread only
  /// One packet for an input port. Catches whatever the operator throws.
  void accept(std::size_t port, Packet&& packet);
  /// Nothing earlier than `clock` will come in; tells the outputs and what is fused behind.
  void advance_input(Time clock);
  /// The input has ended: flushes the operator, then what is fused behind.
  void finish();
  /// One step of a source: false when it has ended or failed.
  bool read();
  void flush_edges();
  void pass_barrier(std::uint64_t number);
  void end_edges();

  // --- state
  void save(Archive& into);
  void load(const Archive& from);
  /// Flushes a sink (before saving, and at the end).
  void flush_sink();

  const PlannedNode& planned() const { return planned_; }
  Sink* sink() const { return sink_; }
  Source* source() const { return source_; }
  const Contract& contract() const { return contract_; }
  /// Called from other threads.
  NodeMetrics metrics() const;
  std::uint64_t packets_in() const { return packets_in_.get(); }
  Time reached() const { return Time{static_cast<std::int64_t>(reached_.get())}; }
  /// Fills in what only the stage's thread may ask the operator: progress and state size.
  void publish();
  bool unused(std::size_t port) const override;

 protected:
  void put(std::size_t port, Packet&& packet) override;
  void mark(std::size_t port, Time time) override;

 private:
  struct OutPort {
    Node* next = nullptr;
    std::size_t next_port = 0;
    std::vector<Edge*> edges;
    Time clock = kTimeMin;
    Counter packets, bytes;
    std::size_t tap_left = 0;
  };
  struct Instance {
    Key key;
    std::unique_ptr<Operator> op;
  };

  Operator& instance(const Key& key);
  void run_operator(std::size_t port, Packet&& packet);
  /// `kept`: the packet for the errors port, when it may be needed.
  void call(std::size_t port, Packet&& packet, const Packet* kept);
  void run_measured(std::size_t port, Packet&& packet);
  void deliver(OutPort& out, Packet&& packet);
  /// Turns the exception in flight into what `on_error` says; `packet` is the one that caused it, when known.
  void failed_with(const Packet* packet);
  void behind(std::size_t port, Time time) const;
  void print_tap(std::size_t port, const Packet& packet);
  void pace(Time time);

  const PlannedNode& planned_;
  Registry& registry_;
  Context context_;
  RunState& run_;
  std::vector<OutPort> ports_;
  std::unique_ptr<Operator> op_;
  std::map<std::string, Instance, std::less<>> instances_;  ///< sorted: finishing and saving go in one order
  Contract contract_;
  Source* source_ = nullptr;
  Sink* sink_ = nullptr;
  bool single_input_, keyed_, closed_ = false, measuring_ = false, has_taps_ = false;
  Key current_key_;
  std::int64_t current_arrival_ = 0, nested_ = 0;
  Time first_time_ = kTimeMin;
  Time promised_ = kTimeMin;  ///< nothing earlier comes out: what came in, less the lookahead
  Counter packets_in_, errors_, nanoseconds_, reached_, state_bytes_;
  mutable std::mutex progress_mutex_;
  std::string progress_;
};

}  // namespace stream
