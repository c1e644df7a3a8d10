#include "check/wire.hpp"

#include <algorithm>

namespace stream::laws {
namespace {

constexpr int kDeepest = 64;

Buffer buffer_of(std::string_view bytes) {
  return Buffer::copy({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

}  // namespace

void Writer::tensor(const Tensor& tensor) {
  text(stream::name_of(tensor.dtype()));
  number<std::uint64_t>(tensor.shape().size());
  for (const std::int64_t n : tensor.shape()) number(n);
  for (const std::int64_t n : tensor.strides()) number(n);
  text(tensor.buffer().text());
}

/// The archive's form of a packet is the one that checkpoints use, with nothing left out.
void Writer::packet(const Packet& packet) {
  Archive holder;
  holder.set("p", packet);
  archive(holder);
}

void Writer::archive(const Archive& from) {
  number<std::uint64_t>(from.entries().size());
  for (const auto& [name, entry] : from.entries()) {
    text(name);
    number(static_cast<std::uint8_t>(entry.index()));
    if (const auto* scalar = std::get_if<Archive::Scalar>(&entry)) {
      number(static_cast<std::uint8_t>(scalar->index()));
      std::visit(
          [this](const auto& value) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
              text(value);
            else
              number(value);
          },
          *scalar);
    } else if (const auto* values = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      tensor(**values);
    } else {
      archive(*std::get<std::shared_ptr<Archive>>(entry));
    }
  }
}

void Writer::inputs(const Inputs& inputs) {
  number<std::uint64_t>(inputs.size());
  for (const Input& input : inputs) {
    number<std::uint64_t>(input.port);
    packet(input.packet);
  }
}

void Writer::emissions(const std::vector<Emission>& emitted) {
  number<std::uint64_t>(emitted.size());
  for (const Emission& e : emitted) {
    number<std::uint64_t>(e.port);
    number<std::uint64_t>(e.step);
    packet(e.packet);
  }
}

void Writer::fault(const std::optional<Fault>& fault) {
  number(fault.has_value());
  if (!fault) return;
  number(fault->kind);
  text(fault->message);
  number(fault->phase);
  number<std::uint64_t>(fault->step);
}

void Writer::faults(const std::vector<Fault>& faults) {
  number<std::uint64_t>(faults.size());
  for (const Fault& f : faults) fault(f);
}

void Writer::scenario(const Scenario& s) {
  inputs(s.inputs);
  number(s.feed.has_value());
  if (s.feed) {
    text(s.feed->bytes);
    text(s.feed->ending);
    number<std::uint64_t>(s.feed->most);
    number(s.feed->seed);
    number(s.feed->slow);
  }
  number(s.state.has_value());
  if (s.state) archive(*s.state);
  number<std::uint64_t>(s.stop);
  number<std::uint64_t>(s.lost);
  number<std::uint64_t>(s.probes.size());
  for (const std::size_t probe : s.probes) number<std::uint64_t>(probe);
  number(s.skip_errors);
  text(s.output);
}

void Writer::outcome(const Outcome& o) {
  emissions(o.emitted);
  number(o.state.has_value());
  if (o.state) archive(*o.state);
  text(o.written);
  number<std::uint64_t>(o.reads);
  fault(o.fault);
  faults(o.refused);
}

void Writer::measures(const Measures& m) {
  number<std::uint64_t>(m.points.size());
  for (const Measure& point : m.points)
    number(point.packets), number(point.stated), number(point.saved), number(point.heap),
        number(point.resident);
  fault(m.fault);
}

// --- reading

std::string_view Reader::take(std::uint64_t size) {
  if (size > bytes_.size()) throw failed("a reply of the plugin's process is cut short");
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

std::size_t Reader::count(std::size_t least) {
  const auto n = number<std::uint64_t>();
  if (n > bytes_.size() / least) throw failed("a reply of the plugin's process counts more than it holds");
  return n;
}

Tensor Reader::tensor() {
  const DType type = dtype(text());
  std::vector<std::int64_t> shape(count(2 * sizeof(std::int64_t))), strides(shape.size());
  for (auto& n : shape) n = number<std::int64_t>();
  for (auto& n : strides) n = number<std::int64_t>();
  return Tensor(buffer_of(take(number<std::uint64_t>())), type, std::move(shape), std::move(strides));
}

Packet Reader::packet() { return archive().packet("p"); }

Archive Reader::archive(int depth) {
  if (depth > kDeepest) throw failed("a saved state is nested too deep");
  Archive out;
  for (std::size_t i = count(); i > 0; --i) {
    const std::string name = text();
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
      throw failed("a saved state has an entry without a name");
    switch (number<std::uint8_t>()) {
      case 0:
        switch (number<std::uint8_t>()) {
          case 0:
            out.set(name, number<bool>());
            break;
          case 1:
            out.set(name, number<std::int64_t>());
            break;
          case 2:
            out.set(name, number<double>());
            break;
          default:
            out.set(name, text());
        }
        break;
      case 1:
        out.set(name, tensor());
        break;
      default:
        out.put(name, std::make_shared<Archive>(archive(depth + 1)));
    }
  }
  return out;
}

Inputs Reader::inputs() {
  Inputs out(count(16));
  for (Input& input : out) {
    input.port = number<std::uint64_t>();
    input.packet = packet();
  }
  return out;
}

std::vector<Emission> Reader::emissions() {
  std::vector<Emission> out(count(16));
  for (Emission& e : out) {
    e.port = number<std::uint64_t>();
    e.step = number<std::uint64_t>();
    e.packet = packet();
  }
  return out;
}

std::optional<Fault> Reader::fault() {
  if (!number<bool>()) return {};
  Fault f;
  f.kind = std::min(number<Fault::Kind>(), Fault::Kind::kMemory);
  f.message = text();
  f.phase = std::min(number<Phase>(), Phase::kGraph);
  f.step = number<std::uint64_t>();
  return f;
}

std::vector<Fault> Reader::faults() {
  std::vector<Fault> out(count(1));
  for (Fault& f : out) f = fault().value_or(Fault{});
  return out;
}

Scenario Reader::scenario() {
  Scenario s;
  s.inputs = inputs();
  if (number<bool>()) {
    Feed feed;
    feed.bytes = text();
    feed.ending = text();
    feed.most = number<std::uint64_t>();
    feed.seed = number<std::uint64_t>();
    feed.slow = number<bool>();
    s.feed = std::move(feed);
  }
  if (number<bool>()) s.state = archive();
  s.stop = number<std::uint64_t>();
  s.lost = number<std::uint64_t>();
  s.probes.resize(count(sizeof(std::uint64_t)));
  for (std::size_t& probe : s.probes) probe = number<std::uint64_t>();
  s.skip_errors = number<bool>();
  s.output = text();
  return s;
}

Outcome Reader::outcome() {
  Outcome o;
  o.emitted = emissions();
  if (number<bool>()) o.state = archive();
  o.written = text();
  o.reads = number<std::uint64_t>();
  o.fault = fault();
  o.refused = faults();
  return o;
}

Measures Reader::measures() {
  Measures m;
  m.points.resize(count(5 * sizeof(std::uint64_t)));
  for (Measure& point : m.points) {
    for (std::uint64_t* field : {&point.packets, &point.stated, &point.saved, &point.heap, &point.resident})
      *field = number<std::uint64_t>();
  }
  m.fault = fault();
  return m;
}

}  // namespace stream::laws
