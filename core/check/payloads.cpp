#include "check/payloads.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::laws {
namespace {

constexpr const char* kWords[] = {"a",          "to",           "the",        "seven",      "streams",
                                  "h\u00e9llo", "\u4e16\u754c", "\U0001F30A", "{\"x\": 1}", "1,5",
                                  "-",          "tab\there"};

}  // namespace

Value value_of(int kind, Random& random) {
  switch (kind) {
    case kString:
      return kWords[random.below(std::size(kWords))];
    case kInteger:
      return static_cast<std::int64_t>(random.below(1000));
    case kNumber:
      return std::round(random.uniform(-100, 100) * 8) / 8;
    case kBoolean:
      return random.below(2) == 0;
    case kList:
      return Array{};
    default:
      return Object{};
  }
}

std::string text_of(const Mark& mark) {
  Random random(static_cast<std::uint64_t>(mark.seed));
  const auto size = static_cast<std::size_t>(mark.size);
  std::string text;
  switch (mark.kind) {
    case 0:  // letters that tell one packet from another
      for (std::size_t i = 0; i < size; ++i)
        text += static_cast<char>('a' + (static_cast<std::size_t>(mark.seed) + i) % 26);
      return text;
    case 1:
      for (std::size_t i = 0; i < size / 4 + 1; ++i)
        text += (i > 0 ? " " : "") + std::string(kWords[random.below(std::size(kWords))]);
      return text;
    case 2:
      return std::to_string(mark.seed);
    default:
      for (std::size_t i = 0; i < size * 40; ++i) text += static_cast<char>(' ' + random.below(95));
      return text;
  }
}

Buffer random_bytes(std::size_t size, Random& random) {
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return Buffer::own(std::move(bytes));
}

Buffer elements(DType type, std::size_t count, Random& random) {
  if (type == DType::kF32) {
    std::vector<float> values(count);
    for (float& x : values) x = static_cast<float>(std::round(random.uniform(-1, 1) * 1024) / 1024);
    return Buffer::own(std::move(values));
  }
  if (type == DType::kF64) {
    std::vector<double> values(count);
    for (double& x : values) x = random.uniform(-1, 1);
    return Buffer::own(std::move(values));
  }
  if (type == DType::kI64 || type == DType::kI32) {
    std::vector<std::int64_t> wide(type == DType::kI64 ? count : 0);
    std::vector<std::int32_t> narrow(type == DType::kI32 ? count : 0);
    for (auto& x : wide) x = static_cast<std::int64_t>(random.below(100));
    for (auto& x : narrow) x = static_cast<std::int32_t>(random.below(100));
    return type == DType::kI64 ? Buffer::own(std::move(wide)) : Buffer::own(std::move(narrow));
  }
  return random_bytes(count * size_of(type), random);
}

Frame frame_of(int width, int height, PixelFormat format, DType depth, Random& random) {
  std::vector<Frame::Plane> planes;
  for (int i = 0; i < (format == PixelFormat::kGray ? 1 : 3); ++i) {
    const bool chroma = i > 0;
    const bool half_width = chroma && (format == PixelFormat::kYuv420 || format == PixelFormat::kYuv422);
    const bool half_height = chroma && format == PixelFormat::kYuv420;
    const int w = half_width ? (width - 1) / 2 + 1 : width, h = half_height ? (height - 1) / 2 + 1 : height;
    const auto count = static_cast<std::size_t>(w) * static_cast<std::size_t>(h);
    planes.push_back({elements(depth, count, random), w, h, static_cast<std::size_t>(w) * size_of(depth)});
  }
  return Frame(
      width, height, format, depth, std::move(planes), ColorRange::kFull, "bt709",
      depth == DType::kU16 ? 16 : 8,
      {16, 11, ChromaSiting::kLeft, random.below(2) == 0 ? FieldOrder::kTopFirst : FieldOrder::kBottomFirst});
}

float sample_at(int kind, std::int64_t position, int channel) {
  const auto where = static_cast<std::uint64_t>(position * 64 + channel);
  switch (kind) {
    case 0:
      return static_cast<float>((where / 64 + static_cast<std::uint64_t>(channel)) % 8) / 8;
    case 1:
      return static_cast<float>(0.5 * std::sin(0.05 * static_cast<double>(position) + channel));
    case 2:
      return 0;
    default:
      return static_cast<float>(static_cast<std::int64_t>(Random(where)() >> 40)) /
                 static_cast<float>(1 << 24) -
             0.5f;
  }
}

std::shared_ptr<const Payload> other_payload(const Payload& payload, Random& random) {
  const Mark mark{.kind = 1, .size = 20, .seed = static_cast<int>(random.below(1'000'000))};
  switch (payload.type()) {
    case PayloadType::kText:
      return std::make_shared<Text>(text_of(mark) + "!");
    case PayloadType::kBytes:
      return std::make_shared<Bytes>(random_bytes(static_cast<const Bytes&>(payload).data().size(), random));
    case PayloadType::kRecord: {
      Object object;
      try {
        object = static_cast<const Record&>(payload).object();
      } catch (const Error&) {
      }
      Object changed;
      for (const auto& [name, value] : object) {
        if (value.is_string())
          changed.set(name, value.as_string() + "!");
        else if (value.is_integer())
          changed.set(name, value.as_integer() + 1 + static_cast<std::int64_t>(random.below(1000)));
        else if (value.is_double())
          changed.set(name, value.as_double() + 1 + random.uniform());
        else if (value.is_bool())
          changed.set(name, !value.as_bool());
        else
          changed.set(name, value);
      }
      return std::make_shared<Record>(std::move(changed));
    }
    case PayloadType::kAudio: {
      const auto& audio = static_cast<const Audio&>(payload);
      std::vector<float> samples(audio.samples().size());
      for (float& x : samples) x = static_cast<float>(random.uniform(-0.9, 0.9));
      return std::make_shared<Audio>(std::move(samples), audio.channels(), audio.rate());
    }
    case PayloadType::kFrame: {
      const auto& frame = static_cast<const Frame&>(payload);
      return std::make_shared<Frame>(
          frame_of(frame.width(), frame.height(), frame.format(), frame.depth(), random));
    }
    default: {
      const auto& tensor = static_cast<const Tensor&>(payload);
      return std::make_shared<Tensor>(
          elements(tensor.dtype(), static_cast<std::size_t>(tensor.elements()), random), tensor.dtype(),
          std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end()));
    }
  }
}

}  // namespace stream::laws
