#include <algorithm>
#include <cmath>
#include <map>

#include "check/law.hpp"

namespace stream::laws {
namespace {

/// Packets of one port and key that continue each other.
struct Stretch {
  std::size_t port = 0;
  Packet first;
  std::vector<Packet> parts;
  std::size_t units = 0;  ///< bytes or frames
};

std::size_t units_of(const Packet& packet) {
  return packet.is(PayloadType::kBytes) ? packet.payload->bytes() : packet.as<Audio>().frames();
}

bool has_units(const Packet& packet) {
  return packet.is(PayloadType::kBytes) || packet.is(PayloadType::kAudio);
}

bool continues(const Stretch& stretch, const Packet& packet) {
  if (!packet.is(stretch.first.payload->type())) return false;
  if (packet.is(PayloadType::kBytes)) return true;
  const auto &a = stretch.first.as<Audio>(), &b = packet.as<Audio>();
  return a.rate() == b.rate() && a.channels() == b.channels() &&
         packet.time == stretch.first.time + duration_of(static_cast<std::int64_t>(stretch.units), a.rate());
}

/// Units [from, from + count) of a stretch as one packet.
Packet piece(const Stretch& stretch, std::size_t from, std::size_t count) {
  Packet packet = stretch.first;
  if (packet.is(PayloadType::kBytes)) {
    std::string bytes;
    std::size_t at = 0;
    for (const Packet& part : stretch.parts) {
      const auto text = part.as<Bytes>().buffer().text();
      // A piece has the time of the packet that its first byte came in.
      if (at <= from && from < at + text.size()) packet.time = part.time;
      const std::size_t begin = std::clamp(from, at, at + text.size()) - at;
      const std::size_t end = std::clamp(from + count, at, at + text.size()) - at;
      bytes += text.substr(begin, end - begin);
      at += text.size();
    }
    packet.payload = std::make_shared<Bytes>(Buffer::own(std::move(bytes)));
    return packet;
  }
  const auto& like = stretch.first.as<Audio>();
  const auto channels = static_cast<std::size_t>(like.channels());
  std::vector<float> samples;
  samples.reserve(count * channels);
  std::size_t at = 0;
  for (const Packet& part : stretch.parts) {
    const auto& audio = part.as<Audio>();
    const std::size_t begin = std::clamp(from, at, at + audio.frames()) - at;
    const std::size_t end = std::clamp(from + count, at, at + audio.frames()) - at;
    const auto values = audio.samples().subspan(begin * channels, (end - begin) * channels);
    samples.insert(samples.end(), values.begin(), values.end());
    at += audio.frames();
  }
  packet.time += duration_of(static_cast<std::int64_t>(from), like.rate());
  packet.duration =
      stretch.first.time + duration_of(static_cast<std::int64_t>(from + count), like.rate()) - packet.time;
  packet.payload = std::make_shared<Audio>(std::move(samples), like.channels(), like.rate());
  return packet;
}

std::size_t largest_stretch(const Inputs& inputs) {
  std::size_t units = 0;
  for (const Input& input : inputs) units += has_units(input.packet) ? units_of(input.packet) : 0;
  return units;
}

/// The same payloads in other memory: slices of larger blocks, records parsed or not.
Inputs moved(const Inputs& inputs) {
  Inputs out = inputs;
  for (std::size_t i = 0; i < out.size(); ++i) {
    Packet& packet = out[i].packet;
    const auto inside = [&](const Buffer& buffer) {
      std::vector<std::byte> block(buffer.size() + 192, std::byte{0x7F});
      std::copy(buffer.bytes().begin(), buffer.bytes().end(), block.begin() + 64);
      return Buffer::own(std::move(block)).slice(64, buffer.size());
    };
    if (packet.is(PayloadType::kText)) {
      packet.payload = std::make_shared<Text>(inside(packet.as<Text>().buffer()));
    } else if (packet.is(PayloadType::kBytes)) {
      packet.payload = std::make_shared<Bytes>(inside(packet.as<Bytes>().buffer()));
    } else if (packet.is(PayloadType::kAudio)) {
      const auto& audio = packet.as<Audio>();
      packet.payload = std::make_shared<Audio>(inside(audio.buffer()), audio.channels(), audio.rate());
    } else if (packet.is(PayloadType::kRecord)) {
      packet.payload = std::make_shared<Record>(Buffer::own(std::string(packet.as<Record>().json())));
    }
  }
  return out;
}

/// Bytes and audio of a stream, cut in every way that is worth it.
std::vector<std::pair<std::string, Inputs>> cuttings(const Reference& reference, Random& random) {
  const Inputs& inputs = reference.scenario.inputs;
  const std::size_t units = largest_stretch(inputs);
  std::vector<std::pair<std::string, Inputs>> ways;
  if (units == 0) return ways;
  const char* unit = std::any_of(inputs.begin(), inputs.end(),
                                 [](const Input& i) { return i.packet.is(PayloadType::kAudio); })
                         ? "sample"
                         : "byte";
  ways.emplace_back("in one piece", recut(inputs, [](std::size_t, std::size_t left) { return left; }));
  constexpr std::size_t kSingles = 3000;  // of a long stream the first so many one at a time
  ways.emplace_back(
      std::string("one ") + unit + " at a time",
      recut(inputs, [](std::size_t done, std::size_t left) { return done < kSingles ? 1 : left; }));
  const double scale = std::log(static_cast<double>(units) + 1);
  for (int i = 0; i < 2; ++i) {
    const auto most = static_cast<std::size_t>(std::exp(random.uniform() * scale)) + 1;
    ways.emplace_back("in pieces of 1 to " + std::to_string(most) + " " + unit + "s",
                      recut(inputs, [&](std::size_t, std::size_t) { return 1 + random.below(most); }));
  }
  const bool all = units <= 4 * reference.samples;
  for (std::size_t i = 1; i < (all ? units : reference.samples + 1); ++i) {
    const std::size_t at = all ? i : 1 + random.below(units);
    ways.emplace_back(
        std::string("in two at ") + unit + " " + std::to_string(at),
        recut(inputs, [&](std::size_t done, std::size_t left) { return done < at ? at - done : left; }));
  }
  return ways;
}

/// Cutting the packets of one port anew moves them among those of another: that is another stream, not
/// another way to bring the same one.
bool one_port(const Inputs& inputs) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [&](const Input& input) { return input.port == inputs.front().port; });
}

}  // namespace

Inputs recut(const Inputs& inputs, const Cutter& cut) {
  Inputs out;
  std::vector<Stretch> stretches;
  std::map<std::pair<std::size_t, std::string>, std::size_t> open;  // by port and key
  for (const Input& input : inputs) {
    const Packet& packet = input.packet;
    const std::pair name(input.port, std::string(packet.key.str()));
    if (!packet.payload || !has_units(packet) || units_of(packet) == 0) {
      open.erase(name);
      out.push_back(input);
      continue;
    }
    auto found = open.find(name);
    if (found == open.end() || !continues(stretches[found->second], packet)) {
      found = open.insert_or_assign(name, stretches.size()).first;
      stretches.push_back({input.port, packet, {}, 0});
    }
    Stretch& stretch = stretches[found->second];
    stretch.parts.push_back(packet);
    stretch.units += units_of(packet);
  }
  for (const Stretch& stretch : stretches) {
    for (std::size_t at = 0; at < stretch.units;) {
      const std::size_t left = stretch.units - at;
      const std::size_t count = std::clamp<std::size_t>(cut(at, left), 1, left);
      out.push_back({stretch.port, piece(stretch, at, count)});
      at += count;
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Input& a, const Input& b) {
    return std::pair(a.packet.time, a.port) < std::pair(b.packet.time, b.port);
  });
  return out;
}

std::optional<Breach> try_chunking(Runner& runner, const Reference& reference, Random& random) {
  Scenario scenario = reference.scenario;
  scenario.probes.clear();
  for (std::size_t i = 0; i <= scenario.inputs.size(); ++i) {
    if (scenario.inputs.size() <= 2 * reference.samples || random.below(3) == 0) scenario.probes.push_back(i);
  }
  if (auto breach = compared(reference.outcome, runner.run(scenario), Equality::kPackets,
                             "being asked for its state between packets changed the output",
                             "save, state_bytes and progress called between packets"))
    // What cannot be saved at all says so under `resume`.
    if (!breach->fault || breach->fault->fatal() || breach->fault->phase != Phase::kSave) return breach;
  scenario.probes.clear();
  scenario.inputs = moved(reference.scenario.inputs);
  if (auto breach = compared(reference.outcome, runner.run(scenario), Equality::kPackets,
                             "the same packets in other memory gave another output",
                             "payloads as slices of larger buffers, records as unparsed text"))
    return breach;
  if (!one_port(reference.scenario.inputs)) return {};
  for (auto& [how, inputs] : cuttings(reference, random)) {
    scenario.inputs = std::move(inputs);
    if (auto breach =
            compared(reference.outcome, runner.run(scenario), Equality::kContent,
                     "the same stream cut into other packets gave another output", "the stream " + how))
      return breach;
  }
  return {};
}

}  // namespace stream::laws
