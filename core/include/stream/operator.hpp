/// The unit that a plugin offers, and the protocol between it and the graph.
///
/// The graph calls one operator from one thread at a time (not always the same thread):
///
///     load?  (process | finish of one port ...)*  finish  save at any point between calls
///
/// Packets reach an operator in the order of event time (ties by port, then by the order of emission), merged
/// over its inputs, so what it computes never depends on scheduling.
#pragma once

#include <cstddef>

#include "stream/archive.hpp"
#include "stream/packet.hpp"
#include "stream/params.hpp"
#include "stream/spec.hpp"

namespace stream {

/// Where an operator puts what it makes.
class Output {
 public:
  virtual ~Output();
  /// Times on a port must not decrease. The key of the packet in process is given to packets without one
  /// when the operator is keyed.
  void emit(Packet&& packet) { put(0, std::move(packet)); }
  void emit(const Packet& packet) { put(0, Packet(packet)); }
  void emit(std::size_t port, Packet&& packet) { put(port, std::move(packet)); }
  void emit(std::size_t port, const Packet& packet) { put(port, Packet(packet)); }
  /// "Nothing earlier than `time` will come": for operators that stay silent longer than their contract says
  /// the graph must wait (a source between two events; a detector whose lookahead is unbounded).
  void advance(Time time) { mark(0, time); }
  void advance(std::size_t port, Time time) { mark(port, time); }
  /// True when nobody is connected to the port: what it would carry need not be computed.
  virtual bool unused(std::size_t port) const = 0;

 protected:
  virtual void put(std::size_t port, Packet&& packet) = 0;
  virtual void mark(std::size_t port, Time time) = 0;
};

class Operator {
 public:
  virtual ~Operator();
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// One packet of the only input. An exception ends the run, or loses this packet (`on_error`); state must
  /// then be what it was before the packet.
  virtual void process(Packet in, Output& out);
  /// One packet of one of several inputs; the default serves operators with one input.
  virtual void process(std::size_t port, Packet in, Output& out);
  /// The input has ended: emit what is still held back.
  virtual void finish(Output& out);
  /// Everything that future output depends on, random generators included. What `save` forgets, resuming
  /// loses.
  virtual void save(Archive& state) const;
  /// The inverse, called on a newly made operator before anything else.
  virtual void load(const Archive& state);
  /// Bytes of state held now, as the contract's growth counts them; 0 for stateless operators.
  virtual std::size_t state_bytes() const;
  /// One short phrase for the progress line (the newest words, the running score); empty for none.
  virtual std::string progress() const;
};

/// An operator with no inputs. `save` must record the position in whatever it reads; `load` must seek to it
/// (or, on a pipe, read and drop up to it).
class Source : public Operator {
 public:
  /// Emits the next piece, a moderate amount, and returns false when there is no more. May block for input;
  /// `interrupt` ends the wait when the run is being stopped, or when a checkpoint needs the source: then
  /// `save` follows, and `read` again.
  virtual bool read(Output& out) = 0;
  /// Called from another thread, any number of times: make a blocked `read` return soon (true, with or
  /// without data).
  virtual void interrupt();
  /// Fraction of the input read so far, 0 to 1, or a negative number when that is unknown.
  virtual double fraction() const;
};

/// An operator with no outputs, whose effect a checkpoint must be able to take back: `save` records how much
/// has been written, `load` truncates to it.
class Sink : public Operator {
 public:
  /// Hands everything processed so far to the operating system. Called before `save` and at the end.
  virtual void flush() = 0;
  /// Makes what was flushed durable (fsync). May run on another thread while `process` goes on.
  virtual void sync() = 0;
};

}  // namespace stream
