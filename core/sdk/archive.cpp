#include "stream/archive.hpp"

#include <stdexcept>

namespace stream {

void Archive::put(std::string_view name, Entry entry) {
  if (name.empty() || name.find('/') != std::string_view::npos || name == "." || name == "..") {
    throw std::logic_error("'" + std::string(name) + "' is no name for an archive's entry");
  }
  entries_.insert_or_assign(std::string(name), std::move(entry));
}

void Archive::set(std::string_view name, Tensor tensor) {
  put(name, std::make_shared<const Tensor>(std::move(tensor)));
}

Archive& Archive::group(std::string_view name) {
  const auto found = entries_.find(name);
  if (found != entries_.end()) {
    if (const auto* g = std::get_if<std::shared_ptr<Archive>>(&found->second)) return **g;
  }
  auto made = std::make_shared<Archive>();
  put(name, made);
  return *made;
}

const Archive::Entry& Archive::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& e : entries_) names.push_back(e.first);
  throw bad_data("the saved state has no '" + std::string(name) + "'" + did_you_mean(name, names));
}

void Archive::wrong_type(std::string_view name, const char* expected) const {
  throw bad_data("'" + std::string(name) + "' in the saved state is no " + expected);
}

const Archive::Scalar& Archive::scalar(std::string_view name) const {
  if (const auto* v = std::get_if<Scalar>(&entry(name))) return *v;
  wrong_type(name, "scalar");
}

const Tensor& Archive::tensor(std::string_view name) const {
  if (const auto* v = std::get_if<std::shared_ptr<const Tensor>>(&entry(name))) return **v;
  wrong_type(name, "tensor");
}

const Archive& Archive::group(std::string_view name) const {
  if (const auto* v = std::get_if<std::shared_ptr<Archive>>(&entry(name))) return **v;
  wrong_type(name, "group");
}

std::size_t Archive::bytes() const {
  std::size_t total = 0;
  for (const auto& [name, entry] : entries_) {
    if (const auto* scalar = std::get_if<Scalar>(&entry)) {
      const auto* text = std::get_if<std::string>(scalar);
      total += text ? text->size() : std::holds_alternative<bool>(*scalar) ? 1 : 8;
    } else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      total += static_cast<std::size_t>((*tensor)->elements()) * size_of((*tensor)->dtype());
    } else {
      total += std::get<std::shared_ptr<Archive>>(entry)->bytes();
    }
  }
  return total;
}

// --- packets

namespace {

Tensor raw(const Buffer& buffer) {
  return Tensor(buffer, DType::kU8, {static_cast<std::int64_t>(buffer.size())});
}

}  // namespace

void Archive::set(std::string_view name, const Packet& packet) {
  Archive& g = group(name);
  g.set("time", packet.time);
  g.set("duration", packet.duration);
  g.set("key", packet.key.str());
  g.set("sequence", packet.sequence);
  if (!packet.payload) return;
  g.set("type", name_of(packet.payload->type()));
  switch (packet.payload->type()) {
    case PayloadType::kAny:
      break;
    case PayloadType::kBytes:
      g.set("data", raw(packet.as<Bytes>().buffer()));
      break;
    case PayloadType::kText:
      g.set("data", raw(packet.as<Text>().buffer()));
      break;
    case PayloadType::kRecord:
      g.set("data", raw(Buffer::own(std::string(packet.as<Record>().json()))));
      break;
    case PayloadType::kAudio: {
      const auto& audio = packet.as<Audio>();
      g.set("rate", audio.rate());
      g.set("data", Tensor(audio.buffer(), DType::kF32, {std::int64_t(audio.frames()), audio.channels()}));
      break;
    }
    case PayloadType::kTensor:
      g.set("data", packet.as<Tensor>());
      break;
    case PayloadType::kFrame: {
      const auto& frame = packet.as<Frame>();
      g.set("width", frame.width());
      g.set("height", frame.height());
      g.set("format", static_cast<int>(frame.format()));
      g.set("depth", static_cast<int>(frame.depth()));
      g.set("bits", frame.bits());
      g.set("range", static_cast<int>(frame.range()));
      g.set("matrix", frame.matrix());
      g.set("aspect_width", frame.sampling().aspect_width);
      g.set("aspect_height", frame.sampling().aspect_height);
      g.set("siting", static_cast<int>(frame.sampling().siting));
      g.set("fields", static_cast<int>(frame.sampling().fields));
      int index = 0;
      for (const auto& plane : frame.planes()) {
        Archive& p = g.group("plane" + std::to_string(index++));
        p.set("width", plane.width);
        p.set("height", plane.height);
        p.set("stride", static_cast<std::uint64_t>(plane.stride));
        p.set("data", raw(plane.data));
      }
      break;
    }
  }
}

Packet Archive::packet(std::string_view name) const {
  const Archive& g = group(name);
  Packet packet;
  packet.time = g.get<Duration>("time");
  packet.duration = g.get<Duration>("duration");
  packet.key = Key(g.get<std::string>("key"));
  packet.sequence = g.get<std::uint64_t>("sequence");
  if (!g.has("type")) return packet;
  switch (payload_type(g.get<std::string>("type"))) {
    case PayloadType::kAny:
      break;
    case PayloadType::kBytes:
      packet.payload = std::make_shared<Bytes>(g.tensor("data").buffer());
      break;
    case PayloadType::kText:
      packet.payload = std::make_shared<Text>(g.tensor("data").buffer());
      break;
    case PayloadType::kRecord:
      packet.payload = std::make_shared<Record>(g.tensor("data").buffer());
      break;
    case PayloadType::kAudio: {
      const Tensor& data = g.tensor("data");
      if (data.dtype() != DType::kF32 || data.shape().size() != 2) g.wrong_type("data", "audio");
      packet.payload =
          std::make_shared<Audio>(data.buffer(), static_cast<int>(data.shape()[1]), g.get<int>("rate"));
      break;
    }
    case PayloadType::kTensor:
      packet.payload = std::make_shared<Tensor>(g.tensor("data"));
      break;
    case PayloadType::kFrame: {
      std::vector<Frame::Plane> planes;
      for (int i = 0; g.has("plane" + std::to_string(i)); ++i) {
        const Archive& p = g.group("plane" + std::to_string(i));
        planes.push_back({p.tensor("data").buffer(), p.get<int>("width"), p.get<int>("height"),
                          static_cast<std::size_t>(p.get<std::uint64_t>("stride"))});
      }
      Sampling sampling;
      if (g.has("fields")) {  // checkpoints of earlier versions have none
        const int siting = g.get<int>("siting"), fields = g.get<int>("fields");
        if (siting < 0 || siting > 255 || fields < 0 || fields > 255) g.wrong_type("fields", "field order");
        sampling = {g.get<std::int32_t>("aspect_width"), g.get<std::int32_t>("aspect_height"),
                    static_cast<ChromaSiting>(siting), static_cast<FieldOrder>(fields)};
      }
      packet.payload = std::make_shared<Frame>(g.get<int>("width"), g.get<int>("height"),
                                               static_cast<PixelFormat>(g.get<int>("format")),
                                               static_cast<DType>(g.get<int>("depth")), std::move(planes),
                                               static_cast<ColorRange>(g.get<int>("range")),
                                               g.get<std::string>("matrix"), g.get<int>("bits"), sampling);
      break;
    }
  }
  return packet;
}

void Archive::set(std::string_view name, std::span<const Packet> packets) {
  Archive& g = group(name);
  g.set("count", static_cast<std::uint64_t>(packets.size()));
  for (std::size_t i = 0; i < packets.size(); ++i) g.set(std::to_string(i), packets[i]);
}

std::vector<Packet> Archive::packets(std::string_view name) const {
  const Archive& g = group(name);
  std::vector<Packet> out;
  for (std::size_t i = 0; g.has(std::to_string(i)); ++i) out.push_back(g.packet(std::to_string(i)));
  if (out.size() != g.get<std::uint64_t>("count"))
    throw bad_data("'" + std::string(name) + "' in the saved state is incomplete");
  return out;
}

}  // namespace stream
