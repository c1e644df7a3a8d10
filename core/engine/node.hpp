/// One operator in a running graph: its instances, its outputs, its counters.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "engine/counter.hpp"
#include "engine/edge.hpp"
#include "engine/key_table.hpp"
#include "engine/keyed_batch.hpp"
#include "engine/run_state.hpp"
#include "registry/registry.hpp"
#include "stream/delivery.hpp"

namespace stream {

class alignas(64) Node final : public Output {
 public:
  /// Makes the operator (and loads its plugin when it is the first of it).
  Node(const PlannedNode& planned, Registry& registry, Context context, RunState& run);

  // --- wiring, before the run
  void fuse(std::size_t port, Node& next, std::size_t next_port);
  void connect(std::size_t port, Edge& edge) { ports_[port].edges.push_back(&edge); }
  void tap(std::size_t port, std::size_t count);

  // --- running: by the stage's thread only
  /// One packet for an input port, from outside the chain. Catches whatever the operator throws.
  void accept(std::size_t port, Packet&& packet);
  /// True when its keys may be computed side by side: then several packets at once are welcome.
  bool parallel() const;
  struct Arrival {
    std::size_t port;
    Packet packet;
  };
  /// The same as `accept` for each of them in order.
  void accept_by_key(std::vector<Arrival>&& arrivals);
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
  /// Null for what writes to nothing but files.
  Delivery* delivery() const { return delivery_; }
  Source* source() const { return source_; }
  const Contract& contract() const { return contract_; }
  /// Called from other threads.
  NodeMetrics metrics() const;
  /// A fused node takes in what the only port before it gives out: one counter serves both.
  std::uint64_t packets_in() const { return fed_by_ ? fed_by_->get() : packets_in_.get(); }
  Time reached() const { return Time{static_cast<std::int64_t>(reached_.get())}; }
  /// How much of its input a source had read when it was last asked; negative when unknown, as for all
  /// others.
  double fraction() const { return fraction_.load(std::memory_order_relaxed); }
  /// Fills in what only the stage's thread may ask the operator: progress, fraction, state size. Unless
  /// `exact`, the states of many keys are added up so rarely that it costs next to nothing.
  void publish(bool exact);
  bool unused(std::size_t port) const override;

 protected:
  void put(std::size_t port, Packet&& packet) override;
  void mark(std::size_t port, Time time) override;

 private:
  /// Begins with what a fused hop touches, on one cache line.
  struct alignas(64) OutPort {
    Node* next = nullptr;  ///< the operator fused behind this port
    Time clock = kTimeMin;
    Counter packets, bytes;
    std::size_t next_port = 0;
    std::vector<Edge*> edges;
    std::size_t tap_left = 0;
  };

  Operator& instance(const Key& key) { return key.empty() ? *op_ : keys_->at(key.str()); }
  /// Between packets: an operator's keys in memory are as many as the recipe says.
  void keep_key_limit();
  /// Hidden: called without the detour through the dynamic linker's table.
  [[gnu::visibility("hidden")]] void pass(std::uint64_t sequence, Packet&& packet);
  void accept_slowly(std::size_t port, std::uint64_t count, Packet&& packet);
  void run_operator(std::size_t port, Packet&& packet);
  /// `kept`: the packet for the errors port, when it may be needed.
  void call(std::size_t port, Packet&& packet, const Packet* kept);
  void give_out(KeyedCall& call);
  void run_measured(std::size_t port, Packet&& packet);
  void put_slowly(std::size_t port, std::uint64_t sequence, Packet&& packet);
  void deliver(OutPort& out, std::uint64_t sequence, Packet&& packet);
  void close();
  /// Turns the exception in flight into what `on_error` says; `packet` is the one that caused it, when it was
  /// kept, and `number` counts the packets that have reached the node, it included; 0 when there is none.
  void failed_with(const Packet* packet, std::uint64_t number = 0);
  void behind(std::size_t port, Time time) const;
  void print_tap(std::size_t port, const Packet& packet);
  void pace(Time time);

  /// Why packets that leave, or enter, take the long way: nothing of this is so for most nodes most of the
  /// time, and a fused hop asks for all of it at once.
  enum Detour : std::uint8_t {
    kMeasured = 1,    ///< leaving: this call is timed, and what lies behind must not count
    kKeyed = 2,       ///< both
    kTapped = 4,      ///< leaving
    kPaced = 8,       ///< leaving: a source that is held to the wall clock
    kManyInputs = 4,  ///< entering: `process` wants to know the port
    kTimed = 8,       ///< entering: every call is timed
    kSink = 16,       ///< entering: measures latency
    kDiverts = 32,    ///< entering: must keep a copy
    kClosed = 64,     ///< entering: takes nothing more
  };

  // What a fused hop touches comes first: with the pointer to the virtual functions, one cache line.
  std::uint8_t leaving_ = 0, entering_ = 0;
  Operator* operator_ = nullptr;
  OutPort* out_ = nullptr;  ///< ports_.data()
  std::int64_t current_arrival_ = 0;
  Time promised_ = kTimeMin;  ///< nothing earlier comes out: what came in, less the lookahead
  Duration lookahead_{0};
  Counter packets_in_;

  const PlannedNode& planned_;
  Context context_;
  RunState& run_;
  std::vector<OutPort> ports_;
  std::unique_ptr<Operator> op_;
  const Counter* fed_by_ = nullptr;
  std::optional<KeyTable> keys_;  ///< of a keyed operator
  std::int64_t sum_state_from_ =
      0;  ///< steady-clock time before which a million states are not added up again
  Contract contract_;
  Source* source_ = nullptr;
  Sink* sink_ = nullptr;
  Delivery* delivery_ = nullptr;
  bool closed_ = false;
  Key current_key_;
  std::int64_t nested_ = 0;
  Time first_time_ = kTimeMin;
  Counter errors_, nanoseconds_, reached_, state_bytes_;
  std::atomic<double> fraction_{-1};
  mutable std::mutex progress_mutex_;
  std::string progress_;
};

}  // namespace stream
