#include "check/compare.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "stream/laws.hpp"
#include "stream/spec.hpp"
#include "stream/testing.hpp"

namespace stream::laws {
namespace {

constexpr std::size_t kShown = 60;   ///< bytes of a text
constexpr std::size_t kSamples = 8;  ///< values of audio, tensors, pictures

/// Length of the UTF-8 character at the start of the text; 0 when there is none.
std::size_t character_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (size == 0 || size > text.size() || lead > 0xF4) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const auto second = static_cast<unsigned char>(size > 1 ? text[1] : '\0');
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return wrong ? 0 : size;
}

/// Bit for bit: NaN is not equal to itself.
bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// At most kShown bytes, cut between characters.
std::string shortened(std::string_view whole) {
  std::string printed = printable(whole);
  if (printed.size() <= kShown) return printed;
  std::size_t end = kShown;
  while (end > 0 && (printed[end] & 0xC0) == 0x80) --end;
  printed.resize(end);
  return printed + "… (" + std::to_string(whole.size()) + " bytes)";
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 24); ++i) {
    const auto byte = static_cast<unsigned>(bytes[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return bytes.size() > 24 ? out + "… (" + std::to_string(bytes.size()) + " bytes)" : out;
}

Value value_of_sample(float sample) {
  if (sample != sample) return "NaN";
  if (std::abs(sample) > std::numeric_limits<float>::max()) return sample > 0 ? "+inf" : "-inf";
  return sample;
}

Value samples_of(std::span<const float> samples) {
  Array shown;
  for (std::size_t i = 0; i < std::min(samples.size(), kSamples); ++i)
    shown.push_back(value_of_sample(samples[i]));
  if (samples.size() > kSamples) shown.emplace_back("… " + std::to_string(samples.size()));
  return shown;
}

/// One stretch of output that is compared as a whole.
struct Item {
  Packet first;         ///< what is shown of it
  std::string content;  ///< equal exactly when the items are
  std::vector<float> samples;
  std::int64_t frames = 0;
  bool continued = false;  ///< bytes or audio that another packet may continue
};

bool continues(const Item& item, const Packet& packet) {
  if (!item.continued || packet.key.str() != item.first.key.str() || !packet.payload ||
      packet.payload->type() != item.first.payload->type())
    return false;
  if (packet.is(PayloadType::kBytes)) return true;
  const auto &a = item.first.as<Audio>(), &b = packet.as<Audio>();
  if (a.rate() != b.rate() || a.channels() != b.channels()) return false;
  // Less than half a sample apart: times are rounded to nanoseconds.
  const Time expected = item.first.time + duration_of(item.frames, a.rate());
  const Duration half = duration_of(1, a.rate()) / 2;
  return packet.time >= expected - half && packet.time <= expected + half;
}

void append(Item& item, const Packet& packet, Time until) {
  if (packet.is(PayloadType::kBytes)) {
    item.content += packet.as<Bytes>().buffer().text();
    return;
  }
  const auto& audio = packet.as<Audio>();
  const auto channels = static_cast<std::size_t>(audio.channels());
  std::size_t frames = audio.frames();
  if (until != kTimeMax) {
    while (frames > 0 &&
           packet.time + duration_of(static_cast<std::int64_t>(frames) - 1, audio.rate()) >= until)
      --frames;
  }
  item.samples.insert(item.samples.end(), audio.samples().begin(),
                      audio.samples().begin() + static_cast<std::ptrdiff_t>(frames * channels));
  item.frames += static_cast<std::int64_t>(audio.frames());
}

using Items = std::vector<Item>;

/// One list for each port, in the order of emission; under kContent the continued stretches of a key are one
/// item each.
std::map<std::size_t, Items> items_of(const std::vector<Emission>& emitted, Equality equality, Time until) {
  std::map<std::size_t, Items> ports;
  for (const Emission& e : emitted) {
    if (e.packet.time >= until) continue;
    Items& items = ports[e.port];
    const bool bytes = e.packet.is(PayloadType::kBytes);
    const bool merges = bytes || (equality == Equality::kContent && e.packet.is(PayloadType::kAudio));
    if (!merges) {
      items.push_back({e.packet, line_of(e.packet), {}, 0, false});
      continue;
    }
    // Of several keys each goes on where its own last stretch ended.
    auto last = std::find_if(items.rbegin(), items.rend(),
                             [&](const Item& item) { return item.first.key.str() == e.packet.key.str(); });
    if (last == items.rend() || !continues(*last, e.packet)) {
      // Nothing yet is nothing: an empty packet begins no stretch.
      if (e.packet.payload->bytes() == 0) continue;
      items.push_back({e.packet, {}, {}, 0, true});
      last = items.rbegin();
    }
    append(*last, e.packet, until);
  }
  for (auto& [port, items] : ports) {
    for (Item& item : items) {
      if (!item.continued || item.first.is(PayloadType::kBytes)) continue;
      const auto& audio = item.first.as<Audio>();
      item.content = std::to_string(item.first.time.count()) + " " + std::to_string(audio.rate()) + "x" +
                     std::to_string(audio.channels()) + " [" + std::string(item.first.key.str()) + "]";
      item.content.append(reinterpret_cast<const char*>(item.samples.data()),
                          item.samples.size() * sizeof(float));
    }
  }
  return ports;
}

std::string shown(const Items& items, std::size_t index) {
  if (index >= items.size()) return "nothing";
  const Item& item = items[index];
  if (!item.continued) return short_json(item.first);
  if (item.first.is(PayloadType::kBytes))
    return short_json(item.first.with<Bytes>(Buffer::own(item.content)));
  const auto& audio = item.first.as<Audio>();
  const auto channels = static_cast<std::size_t>(audio.channels());
  std::vector<float> samples = item.samples;
  samples.resize(samples.size() / channels * channels);
  return short_json(item.first.with<Audio>(std::move(samples), audio.channels(), audio.rate()));
}

std::string text_of(float x) { return Value(value_of_sample(x)).dump(); }

std::string where_differs(const Item& a, const Item& b) {
  std::span<const float> x = a.samples, y = b.samples;
  if (!a.continued && a.first.is(PayloadType::kAudio) && b.first.is(PayloadType::kAudio)) {
    x = a.first.as<Audio>().samples();
    y = b.first.as<Audio>().samples();
  }
  if (x.empty() && y.empty()) {
    if (!a.first.is(PayloadType::kBytes)) return {};
    const auto at = std::mismatch(a.content.begin(), a.content.end(), b.content.begin(), b.content.end());
    return "byte " + std::to_string(at.first - a.content.begin()) + " (of " +
           std::to_string(b.content.size()) + ", expected " + std::to_string(a.content.size()) + ")";
  }
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (!same_bits(x[i], y[i]))
      return "sample " + std::to_string(i) + ": " + text_of(y[i]) + ", expected " + text_of(x[i]);
  }
  if (x.size() == y.size()) return {};
  return "after sample " + std::to_string(std::min(x.size(), y.size())) + ": " + std::to_string(y.size()) +
         " samples, expected " + std::to_string(x.size());
}

/// Time of the first thing that differs; of two packets the earlier one.
Time time_of(const Item* a, const Item* b) {
  if (a == nullptr || b == nullptr) return (a != nullptr ? a : b)->first.time;
  if (!a->continued || a->first.is(PayloadType::kBytes) || a->first.time != b->first.time)
    return std::min(a->first.time, b->first.time);
  const auto& audio = a->first.as<Audio>();
  const std::size_t common = std::min(a->samples.size(), b->samples.size());
  std::size_t at = 0;
  while (at < common && same_bits(a->samples[at], b->samples[at])) ++at;
  return a->first.time + duration_of(static_cast<std::int64_t>(at) / audio.channels(), audio.rate());
}

}  // namespace

std::vector<Difference> differences(const std::vector<Emission>& expected, const std::vector<Emission>& got,
                                    Equality equality, Time until) {
  std::vector<Difference> found;
  auto a = items_of(expected, equality, until), b = items_of(got, equality, until);
  for (const auto& [port, ignored] : b) a[port];
  for (const auto& [port, left] : a) {
    const Items& right = b[port];
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      const Item* x = i < left.size() ? &left[i] : nullptr;
      const Item* y = i < right.size() ? &right[i] : nullptr;
      if (x != nullptr && y != nullptr && x->content == y->content) continue;
      found.push_back({port, i, shown(left, i), shown(right, i),
                       x != nullptr && y != nullptr ? where_differs(*x, *y) : std::string(), time_of(x, y)});
      break;
    }
  }
  return found;
}

std::optional<Difference> first_difference(const std::vector<Emission>& expected,
                                           const std::vector<Emission>& got, Equality equality, Time until) {
  auto found = differences(expected, got, equality, until);
  if (found.empty()) return {};
  return std::move(found.front());
}

std::optional<Difference> first_difference(const std::string& expected, const std::string& got) {
  if (expected == got) return {};
  const auto at = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
  const auto offset = static_cast<std::size_t>(at.first - expected.begin());
  const auto around = [&](const std::string& bytes) {
    const std::size_t from = offset - std::min<std::size_t>(offset, 20);
    if (from >= bytes.size()) return std::string("nothing");
    return Value(shortened(std::string_view(bytes).substr(from))).dump();
  };
  return Difference{0, offset, around(expected), around(got),
                    "byte " + std::to_string(offset) + " of the file (" + std::to_string(got.size()) +
                        " bytes, expected " + std::to_string(expected.size()) + ")"};
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character_at(text);
    if (size > 0) {
      out += text.substr(0, size);
    } else {
      constexpr const char* kDigits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(text[0]);
      out += std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string short_json(const Packet& packet) {
  Object line{{"time", to_string(packet.time)}};
  if (packet.duration != Duration{0}) line.set("duration", to_string(packet.duration));
  if (!packet.key.empty()) line.set("key", printable(packet.key.str()));
  if (!packet.payload) return Value(line.set("payload", nullptr)).dump();
  switch (packet.payload->type()) {
    case PayloadType::kAny:
      break;
    case PayloadType::kBytes:
      line.set("bytes", hexadecimal(packet.as<Bytes>().data()));
      break;
    case PayloadType::kText:
      line.set("text", shortened(packet.as<Text>().str()));
      break;
    case PayloadType::kRecord: {
      const auto json = packet.as<Record>().json();
      if (json.size() > 2 * kShown || Value::fault(json))
        line.set("record", shortened(json));
      else
        line.set("record", Value::parse(json));
      break;
    }
    case PayloadType::kAudio: {
      const auto& audio = packet.as<Audio>();
      line.set("rate", audio.rate());
      if (audio.channels() != 1) line.set("channels", audio.channels());
      line.set("samples", samples_of(audio.samples()));
      break;
    }
    case PayloadType::kFrame: {
      const auto& frame = packet.as<Frame>();
      constexpr const char* kFormats[] = {"gray", "yuv420", "yuv422", "yuv444", "rgb"};
      constexpr const char* kSitings[] = {"unspecified", "left", "centre", "top left"};
      constexpr const char* kFields[] = {"unknown", "progressive", "top first", "bottom first", "mixed"};
      line.set("frame", std::to_string(frame.width()) + "x" + std::to_string(frame.height()) + " " +
                            kFormats[static_cast<std::size_t>(frame.format())] + " " +
                            name_of(frame.depth()));
      const Sampling& lie = frame.sampling();
      if (!(lie == Sampling{}))
        line.set("sampling", std::to_string(lie.aspect_width) + ":" + std::to_string(lie.aspect_height) +
                                 " " + kSitings[static_cast<std::size_t>(lie.siting)] + " " +
                                 kFields[static_cast<std::size_t>(lie.fields)]);
      line.set("data", hexadecimal(frame.planes().front().data.bytes()));
      break;
    }
    case PayloadType::kTensor: {
      const auto& tensor = packet.as<Tensor>();
      Array shape;
      for (const std::int64_t n : tensor.shape()) shape.emplace_back(n);
      line.set("tensor", std::move(shape)).set("dtype", name_of(tensor.dtype()));
      if (tensor.dtype() == DType::kF32 && tensor.contiguous())
        line.set("values", samples_of(tensor.values<float>()));
      else
        line.set("data", hexadecimal(tensor.buffer().bytes()));
      break;
    }
  }
  return Value(std::move(line)).dump();
}

}  // namespace stream::laws
