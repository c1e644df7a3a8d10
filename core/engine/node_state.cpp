/// What is seen of a node from outside: its state in checkpoints, its metrics, the packets at a tap.
#include <unistd.h>

#include <algorithm>

#include "engine/node.hpp"

namespace stream {

void Node::save(Archive& into) {
  into.set("operator", planned_.op->spec.name());
  op_->save(into.group("state"));
  if (keys_ && keys_->size() > 0) keys_->save(into.group("keys"));
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    Archive& g = into.group("ports").group(std::to_string(i));
    g.set("clock", std::max(ports_[i].clock, promised_));
    g.set("packets", ports_[i].packets.get());
    g.set("bytes", ports_[i].bytes.get());
  }
  into.set("packets_in", packets_in());
  if (delivery_ != nullptr) into.set("delivered", delivery_->delivered().value_or(0));
}

void Node::load(const Archive& from) {
  try {
    if (from.get<std::string>("operator") != planned_.op->spec.name()) {
      throw bad_data("was saved by operator " + from.get<std::string>("operator"));
    }
    op_->load(from.group("state"));
    if (from.has("keys") && keys_) keys_->load(from.group("keys"));
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      const Archive& g = from.group("ports").group(std::to_string(i));
      ports_[i].clock = g.get<Duration>("clock");
      ports_[i].packets.set(g.get<std::uint64_t>("packets"));
      ports_[i].bytes.set(g.get<std::uint64_t>("bytes"));
    }
    packets_in_.set(from.get<std::uint64_t>("packets_in"));
  } catch (const Error& e) {
    throw e.within("node '" + planned_.id + "' cannot resume");
  }
}

void Node::publish(bool exact) {
  constexpr std::int64_t kShare = 200;  // of the time may go into adding up
  const std::int64_t start = steady_now();
  if (exact || start >= sum_state_from_) {
    state_bytes_.set(op_->state_bytes() + (keys_ ? keys_->state_bytes() : 0));
    const std::int64_t end = steady_now();
    sum_state_from_ = !keys_ || keys_->size() == 0 ? 0 : end + kShare * (end - start);
  }
  if (source_ != nullptr) fraction_.store(source_->fraction(), std::memory_order_relaxed);
  std::string text = op_->progress();
  const std::scoped_lock lock(progress_mutex_);
  progress_ = std::move(text);
}

NodeMetrics Node::metrics() const {
  NodeMetrics m;
  m.id = planned_.id;
  m.op = planned_.op->spec.name();
  m.packets_in = packets_in();
  for (const auto& out : ports_) {
    m.packets_out += out.packets.get();
    m.bytes_out += out.bytes.get();
    for (const Edge* edge : out.edges) m.dropped += edge->dropped();
  }
  m.errors = errors_.get();
  m.seconds = static_cast<double>(nanoseconds_.get()) * 1e-9;
  m.state_bytes = state_bytes_.get();
  const std::scoped_lock lock(progress_mutex_);
  m.progress = progress_;
  return m;
}

void Node::print_tap(std::size_t port, const Packet& packet) {
  OutPort& out = ports_[port];
  if (out.tap_left == 0) return;
  --out.tap_left;
  const auto& spec = planned_.op->spec;
  Object line{
      {"edge", planned_.id + "." + (port < spec.outputs().size() ? spec.outputs()[port].name : "errors")},
      {"time", seconds(packet.time)},
      {"sequence", packet.sequence}};
  if (!packet.key.empty()) line.set("key", packet.key.str());
  if (packet.is(PayloadType::kText))
    line.set("text", packet.as<Text>().str());
  else if (packet.is(PayloadType::kRecord))
    line.set("record", packet.as<Record>().object());
  else if (packet.payload)
    line.set("type", name_of(packet.payload->type()))
        .set("bytes", static_cast<std::uint64_t>(packet.payload->bytes()));
  const std::string text = Value(std::move(line)).dump() + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace stream
