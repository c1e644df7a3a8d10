#include "check/model.hpp"

#include <algorithm>
#include <cmath>

#include "check/hostile.hpp"
#include "check/payloads.hpp"

namespace stream::laws {

StreamModel::StreamModel(const Spec& spec, const Contract& contract, const Object& params)
    : ports_(spec.inputs()), lookahead_(contract.lookahead) {
  if (lookahead_ == kUnbounded) lookahead_ = std::chrono::seconds(1);
  unit_ = std::max<Duration>(lookahead_ / 4, std::chrono::milliseconds(1));
  extent_.ports = std::max(1, static_cast<int>(ports_.size()));
  extent_.keys = contract.keyed ? 4 : 1;
  std::vector<std::string> names;
  for (const Param& p : spec.params()) {
    const Value* value = params.find(p.name);
    if (value == nullptr) value = &p.fallback;
    if (p.type == ParamType::kString && value->is_string() && !value->as_string().empty())
      names.push_back(value->as_string());
  }
  for (const Port& port : ports_) {
    PortModel model;
    model.type = port.type;
    if (port.type == PayloadType::kAudio) {
      for (const int rate : {16000, 8000, 24000, 44100, 48000}) {
        for (const int channels : {1, 2}) model.layouts.push_back({.rate = rate, .channels = channels});
      }
    } else if (port.type == PayloadType::kFrame) {
      for (const DType depth : {DType::kU8, DType::kU16, DType::kF32}) {
        for (const auto format : {PixelFormat::kGray, PixelFormat::kYuv420, PixelFormat::kYuv422,
                                  PixelFormat::kYuv444, PixelFormat::kRgb})
          model.layouts.push_back({.format = format, .dtype = depth});
      }
    } else if (port.type == PayloadType::kTensor) {
      for (const DType type : {DType::kF32, DType::kF64, DType::kI64, DType::kI32, DType::kU8}) {
        for (const int rank : {1, 2, 3}) model.layouts.push_back({.dtype = type, .rank = rank});
      }
    } else {
      model.layouts.emplace_back();
    }
    for (const std::string& name : names) model.members.push_back({name, -1});
    models_.push_back(std::move(model));
  }
}

void StreamModel::set_extent(int marks, int recorded) {
  extent_.marks = marks;
  extent_.recorded = recorded_.empty() ? 0 : recorded;
}

void StreamModel::record(std::vector<Packet> packets) {
  if (packets.empty()) throw Error(ExitCode::kUsage, "--input: the file holds no packet");
  const PayloadType type = packets.front().payload->type();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i].type != type && ports_[i].type != PayloadType::kAny) continue;
    recorded_port_ = i;
    recorded_ = std::move(packets);
    return;
  }
  throw Error(ExitCode::kUsage, std::string("--input: no input takes ") + name_of(type) + " packets");
}

std::optional<std::pair<int, int>> StreamModel::audio_needed() const {
  for (const PortModel& model : models_) {
    if (model.type != PayloadType::kAudio || model.all_layouts) continue;
    return std::pair(model.layouts.front().rate, model.layouts.front().channels);
  }
  return {};
}

Duration StreamModel::gap_of(int gap) const {
  const Duration gaps[] = {Duration{1000}, Duration{0}, unit_ / 8,  unit_,
                           unit_ * 3,      Duration{1}, lookahead_, lookahead_ + Duration{1}};
  return gaps[std::clamp(gap, 0, 7)];
}

/// Short ones for whatever cuts badly, long ones that go beyond the lookahead.
std::size_t StreamModel::frames_of(const Layout& layout, const Mark& mark) const {
  if (mark.size < 20) return static_cast<std::size_t>(mark.size) + 1;
  const double unit = std::max(seconds(unit_), 0.005);
  return static_cast<std::size_t>(unit * layout.rate * (mark.size - 18) / 40);
}

Record StreamModel::record_of(const PortModel& port, const Mark& mark) const {
  Random random(static_cast<std::uint64_t>(mark.seed));
  Object object;
  for (const Member& member : port.members) {
    const int kind = member.kind >= 0 ? member.kind : static_cast<int>(random.below(kList));
    if (port.only_members || mark.kind == 0 || random.below(8) != 0)
      object.set(member.name, value_of(member.kind >= 0 ? kind : (mark.kind == 0 ? kInteger : kind), random));
  }
  if (port.members.empty() || mark.kind == 3) object.set("n", mark.seed);
  for (int i = 0; i < mark.size / 20 && mark.kind > 0; ++i)
    object.set("m" + std::to_string(i), value_of(static_cast<int>(random.below(kValueKinds)), random));
  if (mark.kind != 2) return Record(std::move(object));
  return Record(Buffer::own(Value(std::move(object)).dump()));  // not parsed yet
}

std::shared_ptr<const Payload> StreamModel::payload(const PortModel& port, const Layout& layout,
                                                    const Mark& mark, std::int64_t position) const {
  Random random(static_cast<std::uint64_t>(mark.seed));
  PayloadType type = port.type;
  if (type == PayloadType::kAny) {  // one type for a port: what its output would carry
    constexpr PayloadType kSome[] = {PayloadType::kText, PayloadType::kRecord, PayloadType::kTensor};
    type = kSome[static_cast<std::size_t>(layout.rate) % 3];
  }
  switch (type) {
    case PayloadType::kBytes: {
      const auto size = static_cast<std::size_t>(mark.size) * (mark.kind == 3 ? 40 : 1);
      return std::make_shared<Bytes>(mark.kind == 0 ? Buffer::own(text_of(mark))
                                                    : random_bytes(size, random));
    }
    case PayloadType::kRecord: {
      const Record made = record_of(port, mark);
      if (mark.kind == 2) return std::make_shared<Record>(Buffer::own(std::string(made.json())));
      return std::make_shared<Record>(made.object());
    }
    case PayloadType::kAudio: {
      std::vector<float> samples;
      const std::size_t frames = frames_of(layout, mark);
      samples.reserve(frames * static_cast<std::size_t>(layout.channels));
      for (std::size_t i = 0; i < frames; ++i) {
        for (int c = 0; c < layout.channels; ++c)
          samples.push_back(sample_at(mark.kind, position + static_cast<std::int64_t>(i), c));
      }
      return std::make_shared<Audio>(std::move(samples), layout.channels, layout.rate);
    }
    case PayloadType::kFrame: {
      const int side = 1 + mark.size / 6;
      return std::make_shared<Frame>(frame_of(side, 1 + mark.size / 9, layout.format, layout.dtype, random));
    }
    case PayloadType::kTensor: {
      std::vector<std::int64_t> shape;
      std::size_t count = 1;
      for (int i = 0; i < layout.rank; ++i) {
        shape.push_back(1 + (i == 0 ? mark.size / 5 : 2 + i));
        count *= static_cast<std::size_t>(shape.back());
      }
      return std::make_shared<Tensor>(elements(layout.dtype, count, random), layout.dtype, std::move(shape));
    }
    default:
      return std::make_shared<Text>(text_of(mark));
  }
}

Inputs StreamModel::realise(const Shape& shape) const {
  Inputs inputs;
  if (!recorded_.empty()) {
    const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(shape.count), recorded_.size());
    const std::size_t first = (recorded_.size() - count) * static_cast<std::size_t>(shape.first) / 1000;
    for (std::size_t i = first; i < first + count; ++i) inputs.push_back({recorded_port_, recorded_[i]});
  }
  constexpr const char* kKeys[] = {"", "a", "b", "c"};
  Time clock{0};
  struct Position {
    Time start{0};
    std::int64_t frames = 0;
  };
  std::vector<std::array<Position, 4>> positions(std::max<std::size_t>(1, models_.size()));
  for (const Mark& mark : shape.marks) {
    const auto port = static_cast<std::size_t>(mark.port);
    if (port >= models_.size() || (!recorded_.empty() && port == recorded_port_)) continue;
    const PortModel& model = models_[port];
    Layout layout = model.layouts[static_cast<std::size_t>(shape.variant) % model.layouts.size()];
    if (model.type == PayloadType::kAny) layout.rate = shape.variant;
    // Without state for each key one stream has one key throughout: none, or one to pass on.
    const auto key = static_cast<std::size_t>(extent_.keys > 1 ? mark.key : shape.variant % 5 == 4 ? 1 : 0);
    Packet packet;
    packet.key = Key(kKeys[key]);
    if (model.type == PayloadType::kAudio) {
      Position& at = positions[port][key];
      if (mark.gap >= 6) {  // a hole, and time begins anew behind it
        at.start += duration_of(at.frames, layout.rate) + gap_of(mark.gap) + unit_;
        at.frames = 0;
      }
      packet.time = at.start + duration_of(at.frames, layout.rate);
      packet.payload = payload(model, layout, mark, at.frames);
      at.frames += static_cast<std::int64_t>(packet.as<Audio>().frames());
      packet.duration = at.start + duration_of(at.frames, layout.rate) - packet.time;
    } else {
      clock += gap_of(mark.gap);
      packet.time = clock;
      packet.payload = payload(model, layout, mark, 0);
    }
    inputs.push_back({port, std::move(packet)});
  }
  std::stable_sort(inputs.begin(), inputs.end(), [](const Input& a, const Input& b) {
    return std::pair(a.packet.time, a.port) < std::pair(b.packet.time, b.port);
  });
  return inputs;
}

void StreamModel::learn(Runner& runner) {
  for (std::size_t port = 0; port < models_.size(); ++port) {
    if (models_[port].layouts.size() > 1) learn_layouts(runner, port);
    if (models_[port].type == PayloadType::kRecord) learn_members(runner, port);
  }
}

void StreamModel::learn_layouts(Runner& runner, std::size_t port) {
  std::vector<Layout> accepted;
  for (const Layout& layout : models_[port].layouts) {
    Scenario one;
    one.inputs = {{port, {payload(models_[port], layout, Mark{.size = 12}, 0), Time{0}}}};
    one.stop = 1;
    if (!runner.run(one).fault) accepted.push_back(layout);
  }
  models_[port].all_layouts = accepted.size() == models_[port].layouts.size();
  if (!accepted.empty()) models_[port].layouts = std::move(accepted);
}

/// A record without a member that the operator asks for is refused by name (Record::at): so it can be asked
/// what it wants, one member after the other, and of each which kind of value moves it on.
void StreamModel::learn_members(Runner& runner, std::size_t port) {
  constexpr std::string_view kBefore = "the record has no member '";
  constexpr std::size_t kMost = 24;
  PortModel& model = models_[port];
  const auto refusal = [&](const std::vector<Member>& members) -> std::optional<std::string> {
    Random random(1);
    Object object;
    for (const Member& m : members) object.set(m.name, value_of(m.kind, random));
    Scenario one;
    one.inputs = {{port, Packet::of<Record>(Time{0}, std::move(object))}};
    one.stop = 1;
    const Outcome outcome = runner.run(one);
    return outcome.fault ? std::optional(outcome.fault->message) : std::nullopt;
  };
  std::vector<Member> members;
  auto message = refusal(members);
  while (message && members.size() < kMost) {
    const auto at = message->find(kBefore);
    if (at == std::string::npos) break;
    const auto begin = at + kBefore.size(), end = message->find('\'', begin);
    if (end == std::string::npos) break;
    members.push_back({message->substr(begin, end - begin), kString});
    std::optional<std::string> next;
    bool moved = false;
    for (int kind = kString; kind < kValueKinds && !moved; ++kind) {
      members.back().kind = kind;
      next = refusal(members);
      // "expected X, got Y": the kind of this one is wrong. Anything else is about what comes behind it.
      moved = !next || next->find("expected ") == std::string::npos;
    }
    if (!moved) break;
    message = next;
  }
  if (members.empty()) return;
  model.members = std::move(members);
  model.only_members = true;
}

/// First odd contents of the right type, then the six types, then odd times around a right one.
std::size_t StreamModel::hostile_count() { return kHostilePayloads + 6 + 3; }

Packet StreamModel::hostile(std::size_t port, std::size_t number, const Packet& beside,
                            std::string& name) const {
  const PortModel& model = models_.at(port);
  const Layout& layout = model.layouts.front();
  Packet packet = beside;
  if (number < kHostilePayloads) {
    switch (model.type) {
      case PayloadType::kAudio:
        packet.payload =
            hostile_audio(number, Audio(std::vector<float>(), layout.channels, layout.rate), name);
        break;
      case PayloadType::kRecord:
        packet.payload = hostile_record(number, record_of(model, Mark{}).object(), name);
        break;
      case PayloadType::kFrame:
        packet.payload = hostile_frame(number, layout.format, layout.dtype, name);
        break;
      case PayloadType::kTensor:
        packet.payload = hostile_tensor(number, layout.dtype, name);
        break;
      case PayloadType::kBytes:
        packet.payload = number > 0 ? nullptr : std::make_shared<Bytes>(Buffer());
        name = "no bytes";
        break;
      default:
        packet.payload = hostile_text(number, name);
    }
    packet.duration = {};
    if (!packet.payload) name.clear();
    return packet;
  }
  if (number < kHostilePayloads + 6) {
    const auto type = static_cast<PayloadType>(number - kHostilePayloads + 1);
    name = std::string("a ") + stream::name_of(type) + " packet";
    if (type == model.type) return name.clear(), packet;
    packet.payload = plain_payload(type);
    packet.duration = {};
    return packet;
  }
  const Duration far[] = {std::chrono::hours(24 * 365 * 100), kTimeMax - Duration{1} - packet.time,
                          Duration{0}};
  const std::size_t which = number - kHostilePayloads - 6;
  packet.payload = payload(model, layout, Mark{.size = 12, .seed = 1}, 0);
  if (which == 2) {
    packet.duration = kTimeMax;
    name = "a packet that lasts 292 years";
  } else {
    packet.time += std::max(far[which], Duration{0});
    name = which == 0 ? "a packet 100 years later" : "a packet at the end of time";
  }
  return packet;
}

}  // namespace stream::laws
