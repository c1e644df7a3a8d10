#include "engine/node.hpp"

#include <algorithm>

#include "stream/file.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

/// Cheap operators are timed once in so many packets: reading the clock costs more than a fused hop.
constexpr std::uint64_t kSampleEvery = 512;
constexpr std::uint64_t kLatencyEvery = 16;

/// Where a packet ends, from the stream's start to the end of time.
Time end_of(const Packet& packet) {
  if (packet.time <= Time{0}) return std::max(packet.time + packet.duration, Time{0});
  return packet.time + std::min(packet.duration, kTimeMax - packet.time);
}

constexpr Time minus(Time time, Duration lookahead) {
  if (lookahead == Duration{0}) return time;
  if (lookahead == kUnbounded) return kTimeMin;
  return time < kTimeMin + lookahead ? kTimeMin : time - lookahead;
}

}  // namespace

Node::Node(const PlannedNode& planned, Registry& registry, Context context, RunState& run)
    : planned_(planned),
      context_(std::move(context)),
      run_(run),
      ports_(planned.op->spec.outputs().size() + 1) {
  out_ = ports_.data();
  auto make = registry.maker(planned.op->spec.name(), planned.params, context_);
  op_ = make();
  operator_ = op_.get();
  contract_ = planned.op->spec.contract(Params(planned.op->spec, planned.params, context_));
  source_ = dynamic_cast<Source*>(op_.get());
  sink_ = dynamic_cast<Sink*>(op_.get());
  delivery_ = dynamic_cast<Delivery*>(op_.get());
  if (delivery_ != nullptr && !delivery_->delivered()) delivery_ = nullptr;
  lookahead_ = contract_.lookahead;
  if (contract_.keyed) {
    leaving_ |= kKeyed, entering_ |= kKeyed;
    keys_.emplace(std::move(make), KeyTable::Options{planned.keys_in_memory, context_.cache_dir});
  } else if (planned.keys_in_memory != 0) {
    throw bad_recipe("keys_in_memory is for operators that keep a state for each key, " +
                     planned.op->spec.name() + " keeps one for all");
  }
  if (source_ != nullptr && run_.realtime) leaving_ |= kPaced;
  if (planned.op->spec.inputs().size() > 1) entering_ |= kManyInputs;
  if (contract_.cost == Cost::kHeavy) entering_ |= kTimed;
  if (sink_ != nullptr) entering_ |= kSink;
  if (planned.on_error == OnError::kDivert) entering_ |= kDiverts;
}

void Node::fuse(std::size_t port, Node& next, std::size_t next_port) {
  ports_[port].next = &next;
  ports_[port].next_port = next_port;
  next.fed_by_ = &ports_[port].packets;
}

void Node::tap(std::size_t port, std::size_t count) {
  leaving_ |= kTapped;
  ports_[port].tap_left = count == 0 ? static_cast<std::size_t>(-1) : count;
}

bool Node::unused(std::size_t port) const { return !ports_[port].next && ports_[port].edges.empty(); }

void Node::keep_key_limit() {
  try {
    keys_->keep_limit();
  } catch (const Error& e) {
    close();
    run_.fail(e.within("node '" + planned_.id + "'"));
  } catch (const std::exception& e) {
    close();
    run_.fail(failed("node '" + planned_.id + "': " + e.what()));
  }
}

void Node::accept(std::size_t port, Packet&& packet) {
  packets_in_.add();
  accept_slowly(port, packets_in_.get() - 1, std::move(packet));
}

/// The whole of a fused hop is here and in `pass`: two virtual calls (the operator's `process`, its `emit`),
/// one move of the packet, its counters and clocks. Its bound is some 80 instructions, 6 ns on a Zen 4 core,
/// against 1.6 ns for two bare virtual calls with a moved packet (`bench-peers hop` measures it). Both end in
/// a jump rather than a call, so a hop is one stack frame deep; whatever is rare leaves by one test on either
/// side; and the new sequence number goes straight into the packet that moves on: stored into the old one, it
/// would be loaded again at once as half of a wider word, which a processor cannot forward from its store
/// buffer.
void Node::put(std::size_t port, Packet&& packet) {
  OutPort& out = out_[port];
  if (packet.time < std::max(out.clock, promised_)) [[unlikely]]
    behind(port, packet.time);
  out.clock = packet.time;
  const std::uint64_t sequence = out.packets.get();
  out.packets.set(sequence + 1);
  if (packet.payload) out.bytes.add(packet.payload->bytes());
  if (out.next == nullptr || leaving_ != 0 || packet.arrival == 0) [[unlikely]]
    return put_slowly(port, sequence, std::move(packet));
  if (out.next->entering_ != 0 || sequence % kSampleEvery == 0) [[unlikely]]
    return out.next->accept_slowly(out.next_port, sequence, std::move(packet));
  out.next->pass(sequence, std::move(packet));
}

/// A packet for the only input of an operator about which nothing is special.
inline void Node::pass(std::uint64_t sequence, Packet&& packet) {
  const Time time = packet.time;
  current_arrival_ = packet.arrival;
  try {
    operator_->process(Packet{std::move(packet.payload), time, packet.duration, std::move(packet.key),
                              sequence, packet.arrival},
                       *this);
  } catch (...) {
    failed_with(nullptr, sequence + 1);
  }
  promised_ = std::max(promised_, minus(time, lookahead_));
}

void Node::accept_slowly(std::size_t port, std::uint64_t count, Packet&& packet) {
  if (closed_) return;
  const Time time = packet.time;
  current_arrival_ = packet.arrival;
  if (sink_ != nullptr) {
    // The end of time is where operators put what they say when nothing follows, not where the stream is.
    if (time != kTimeMax) reached_.set(static_cast<std::uint64_t>(end_of(packet).count()));
    if (count % kLatencyEvery == 0 && packet.arrival != 0) run_.latency.add(steady_now() - packet.arrival);
  }
  if (contract_.cost == Cost::kHeavy || count % kSampleEvery == 0)
    run_measured(port, std::move(packet));
  else
    run_operator(port, std::move(packet));
  promised_ = std::max(promised_, minus(time, lookahead_));
}

void Node::run_operator(std::size_t port, Packet&& packet) {
  if (planned_.on_error == OnError::kDivert) [[unlikely]] {
    const Packet kept = packet;
    call(port, std::move(packet), &kept);
  } else {
    call(port, std::move(packet), nullptr);
  }
}

void Node::call(std::size_t port, Packet&& packet, const Packet* kept) {
  try {
    Operator* op = op_.get();
    if (contract_.keyed) {
      current_key_ = packet.key;
      op = &instance(packet.key);
    }
    if ((entering_ & kManyInputs) != 0)
      op->process(port, std::move(packet), *this);
    else
      op->process(std::move(packet), *this);
  } catch (...) {
    failed_with(kept, packets_in());
  }
  if (keys_ && keys_->too_many()) [[unlikely]]
    keep_key_limit();
}

bool Node::parallel() const {
  return contract_.keyed && contract_.cost == Cost::kHeavy && sink_ == nullptr && run_.threads > 1;
}

void Node::accept_by_key(std::vector<Arrival>&& arrivals) {
  std::vector<KeyedCall> calls;
  calls.reserve(arrivals.size());
  for (auto& [port, packet] : arrivals) {
    packets_in_.add();
    if (closed_) continue;
    calls.push_back({port, std::move(packet), packets_in_.get(), nullptr, nullptr, 0, Recorder(*this)});
    try {
      calls.back().op = &instance(calls.back().packet.key);
    } catch (...) {
      calls.back().error = std::current_exception();
    }
  }
  run_by_key(calls, (entering_ & kManyInputs) != 0);
  for (KeyedCall& call : calls) {
    if (!closed_) give_out(call);
  }
  keep_key_limit();
}

void Node::give_out(KeyedCall& call) {
  current_key_ = call.packet.key;
  current_arrival_ = call.packet.arrival;
  nanoseconds_.add(static_cast<std::uint64_t>(call.nanoseconds));
  try {
    for (auto& [port, packet, clock] : call.made.emissions()) {
      if (packet)
        put(port, std::move(*packet));
      else
        mark(port, clock);
    }
    if (call.error) std::rethrow_exception(call.error);
  } catch (...) {
    failed_with(&call.packet, call.number);
  }
  promised_ = std::max(promised_, minus(call.packet.time, lookahead_));
}

void Node::run_measured(std::size_t port, Packet&& packet) {
  leaving_ |= kMeasured;
  nested_ = 0;
  const std::int64_t start = steady_now();
  run_operator(port, std::move(packet));
  const std::int64_t own = steady_now() - start - nested_;
  leaving_ &= static_cast<std::uint8_t>(~kMeasured);
  nanoseconds_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, own)) *
                   (contract_.cost == Cost::kHeavy ? 1 : kSampleEvery));
}

void Node::put_slowly(std::size_t port, std::uint64_t sequence, Packet&& packet) {
  if (packet.arrival == 0) {
    // A source is asked for the time once for each read, after it has waited for its input.
    if (current_arrival_ == 0) current_arrival_ = steady_now();
    packet.arrival = current_arrival_;
  }
  packet.sequence = sequence;
  if ((leaving_ & kKeyed) != 0 && packet.key.empty()) packet.key = current_key_;
  if ((leaving_ & kTapped) != 0) print_tap(port, packet);
  if ((leaving_ & kPaced) != 0) pace(packet.time);
  if ((leaving_ & kMeasured) != 0) {
    const std::int64_t start = steady_now();
    deliver(ports_[port], sequence, std::move(packet));
    nested_ += steady_now() - start;
  } else {
    deliver(ports_[port], sequence, std::move(packet));
  }
}

void Node::deliver(OutPort& out, std::uint64_t sequence, Packet&& packet) {
  if (out.next != nullptr) {
    if (out.next->entering_ == 0 && sequence % kSampleEvery != 0)
      out.next->pass(sequence, std::move(packet));
    else
      out.next->accept_slowly(out.next_port, sequence, std::move(packet));
    return;
  }
  for (std::size_t i = 0; i + 1 < out.edges.size(); ++i) out.edges[i]->push(Packet(packet));
  if (!out.edges.empty()) out.edges.back()->push(std::move(packet));
}

/// Takes nothing more; what still comes is dropped.
void Node::close() {
  closed_ = true;
  entering_ |= kClosed;
}

void Node::mark(std::size_t port, Time time) { ports_[port].clock = std::max(ports_[port].clock, time); }

void Node::behind(std::size_t port, Time time) const {
  const auto& spec = planned_.op->spec;
  const std::string name = port < spec.outputs().size() ? spec.outputs()[port].name : "errors";
  throw failed("emitted a packet of time " + to_string(time) + " on port '" + name +
               "' after that port had reached " + to_string(ports_[port].clock) +
               "; times must not decrease, and with the declared lookahead of " +
               to_string(contract_.lookahead) + " nothing so early may come (a fault of operator " +
               spec.name() + ")");
}

void Node::failed_with(const Packet* packet, std::uint64_t number) {
  errors_.add();
  const std::string node = "node '" + planned_.id + "'",
                    where = number == 0 ? "" : "packet " + std::to_string(number) + ": ";
  std::optional<Error> error;
  try {
    throw;
  } catch (const ClosedPipe&) {
    close();
    run_.closed_pipe = true;
    run_.request_stop(RunState::Stop::kFinish);
    return;
  } catch (const Error& e) {
    error = Error(e.code(), node + ": " + where + e.what());
  } catch (const std::bad_alloc&) {
    error = Error(ExitCode::kTryAgain, node + ": " + where + "not enough memory");
  } catch (const std::exception& e) {
    error = Error(ExitCode::kFailed, node + ": " + where + e.what());
  } catch (...) {
    error = Error(ExitCode::kFailed, node + ": " + where + "threw something that is no exception");
  }
  // What a sink could not write is more than the packet in hand, and unknown: there is nothing to go on from.
  const bool lost = sink_ != nullptr && error->code() == ExitCode::kCannotWrite;
  if (planned_.on_error == OnError::kStop || source_ != nullptr || lost) {
    close();
    run_.fail(*error);
    return;
  }
  constexpr std::uint64_t kLogged = 10;
  if (errors_.get() <= kLogged) {
    // The log names the node on its own.
    log_warning(planned_.id,
                std::string(error->what()).substr(node.size() + 2) +
                    (errors_.get() == kLogged ? " (further errors of this node are only counted)" : ""));
  }
  if (packet != nullptr && planned_.on_error == OnError::kDivert) {
    Packet diverted = *packet;
    diverted.time = std::max({diverted.time, ports_.back().clock, promised_});
    put(ports_.size() - 1, std::move(diverted));
  }
}

void Node::pace(Time time) {
  if (first_time_ == kTimeMin) first_time_ = time;
  const std::int64_t due = run_.started + (time - first_time_).count();
  if (due <= steady_now()) return;
  flush_edges();
  while (!run_.stopping()) {
    const std::int64_t left = due - steady_now();
    if (left <= 0) break;
    run_.wait(Duration{left}, [&] { return run_.stopping(); });
  }
  current_arrival_ = steady_now();
}

void Node::advance_input(Time clock) {
  promised_ = std::max(promised_, minus(clock, contract_.lookahead));
  for (auto& out : ports_) {
    out.clock = std::max(out.clock, promised_);
    if (out.next != nullptr) out.next->advance_input(out.clock);
  }
}

void Node::finish() {
  if (!closed_) {
    current_arrival_ = 0;
    try {
      op_->finish(*this);
      if (keys_) {
        const auto finish_one = [&](const std::string& key, Operator& op) {
          current_key_ = Key(key);
          op.finish(*this);
        };
        keys_->each(finish_one, !run_.checkpointing);
      }
    } catch (...) {
      failed_with(nullptr);
    }
  }
  flush_sink();
  for (auto& out : ports_) {
    if (out.next != nullptr) out.next->finish();
  }
}

bool Node::read() {
  if (closed_) return false;
  current_arrival_ = 0;
  try {
    return source_->read(*this) && !closed_;
  } catch (...) {
    failed_with(nullptr);
    return false;
  }
}

void Node::flush_edges() {
  for (auto& out : ports_) {
    out.clock = std::max(out.clock, promised_);
    for (Edge* edge : out.edges) edge->flush(out.clock);
    if (out.next != nullptr) out.next->flush_edges();
  }
}

void Node::pass_barrier(std::uint64_t number) {
  for (auto& out : ports_) {
    for (Edge* edge : out.edges) edge->barrier(number, out.clock);
  }
}

void Node::end_edges() {
  for (auto& out : ports_) {
    for (Edge* edge : out.edges) edge->end();
  }
}

void Node::flush_sink() {
  if (sink_ == nullptr || closed_) return;
  try {
    sink_->flush();
  } catch (...) {
    failed_with(nullptr);
  }
}

}  // namespace stream
