#include "stream/testing.hpp"

#include <stdexcept>

namespace stream::testing {

void Collector::put(std::size_t port, Packet&& packet) {
  auto& list = packets.at(port);
  if (packet.time < marks.at(port)) {
    throw std::logic_error("a packet of time " + to_string(packet.time) + " follows one of " +
                           to_string(marks[port]) + " on port " + std::to_string(port));
  }
  marks[port] = packet.time;
  packet.sequence = list.size();
  list.push_back(std::move(packet));
}

void Collector::mark(std::size_t port, Time time) { marks.at(port) = std::max(marks.at(port), time); }

Collector run(Operator& op, std::vector<Packet> in, std::size_t output_ports) {
  Collector out(output_ports);
  for (auto& packet : in) op.process(std::move(packet), out);
  op.finish(out);
  return out;
}

Collector drain(Source& source, std::size_t output_ports) {
  Collector out(output_ports);
  while (source.read(out)) {
  }
  source.finish(out);
  return out;
}

namespace {

Archive deep_copy(const Archive& from) {
  Archive to;
  for (const auto& [name, entry] : from.entries()) {
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry)) {
      to.put(name, std::make_shared<Archive>(deep_copy(**group)));
    } else if (const auto* t = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      to.set(name, Tensor(Buffer::copy((*t)->buffer().bytes()), (*t)->dtype(),
                          {(*t)->shape().begin(), (*t)->shape().end()},
                          {(*t)->strides().begin(), (*t)->strides().end()}));
    } else {
      to.put(name, entry);
    }
  }
  return to;
}

void append(std::string& out, std::span<const std::byte> bytes) {
  out += std::to_string(bytes.size()) + ":";
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

Archive saved(const Operator& op) {
  Archive state;
  op.save(state);
  return deep_copy(state);
}

std::string bytes_of(const Payload& payload) {
  std::string out = std::string(name_of(payload.type())) + "|";
  switch (payload.type()) {
    case PayloadType::kAny:
      break;
    case PayloadType::kBytes:
      append(out, static_cast<const Bytes&>(payload).data());
      break;
    case PayloadType::kText:
      append(out, static_cast<const Text&>(payload).buffer().bytes());
      break;
    case PayloadType::kRecord:
      out += static_cast<const Record&>(payload).json();
      break;
    case PayloadType::kAudio: {
      const auto& audio = static_cast<const Audio&>(payload);
      out += std::to_string(audio.channels()) + "x" + std::to_string(audio.rate()) + "|";
      append(out, audio.buffer().bytes());
      break;
    }
    case PayloadType::kTensor: {
      const auto& tensor = static_cast<const Tensor&>(payload);
      out += name_of(tensor.dtype());
      for (const auto n : tensor.shape()) out += "," + std::to_string(n);
      for (const auto n : tensor.strides()) out += ";" + std::to_string(n);
      append(out, tensor.buffer().bytes());
      break;
    }
    case PayloadType::kFrame: {
      const auto& frame = static_cast<const Frame&>(payload);
      out += std::to_string(frame.width()) + "x" + std::to_string(frame.height()) + "," +
             std::to_string(static_cast<int>(frame.format())) + "," +
             std::to_string(static_cast<int>(frame.depth())) + "," + std::to_string(frame.bits()) + "," +
             std::to_string(static_cast<int>(frame.range())) + "," + frame.matrix() + "," +
             std::to_string(frame.sampling().aspect_width) + ":" +
             std::to_string(frame.sampling().aspect_height) + "," +
             std::to_string(static_cast<int>(frame.sampling().siting)) + "," +
             std::to_string(static_cast<int>(frame.sampling().fields)) + "|";
      for (const auto& plane : frame.planes()) {
        const std::size_t row = static_cast<std::size_t>(plane.width) * size_of(frame.depth());
        for (int y = 0; y < plane.height; ++y)
          append(out, plane.data.bytes().subspan(static_cast<std::size_t>(y) * plane.stride, row));
      }
      break;
    }
  }
  return out;
}

}  // namespace stream::testing
