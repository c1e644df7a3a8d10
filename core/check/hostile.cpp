#include "check/hostile.hpp"

#include <limits>

#include "check/payloads.hpp"

namespace stream::laws {

std::shared_ptr<const Payload> hostile_audio(std::size_t number, const Audio& like, std::string& name) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto filled = [&](float x, std::size_t frames) {
    return std::make_shared<Audio>(std::vector<float>(frames * static_cast<std::size_t>(like.channels()), x),
                                   like.channels(), like.rate());
  };
  switch (number) {
    case 0:
      return name = "audio that is not a number", filled(kNan, 8);
    case 1:
      return name = "audio of +infinity", filled(kInf, 8);
    case 2:
      return name = "audio of -infinity", filled(-kInf, 8);
    case 3:
      return name = "audio without a sample", filled(0, 0);
    case 4:
      return name = "audio of 3e38", filled(3e38f, 8);
    case 5:
      return name = "audio at 2147483647 Hz",
             std::make_shared<Audio>(std::vector<float>(8), 1, std::numeric_limits<int>::max());
    case 6:
      return name = "audio at 1 Hz", std::make_shared<Audio>(std::vector<float>(8), 1, 1);
    case 7:
      return name = "audio of 1073741824 channels without a sample",
             std::make_shared<Audio>(std::vector<float>(), 1 << 30, 16000);
    case 8:
      return name = "audio of 63 channels", std::make_shared<Audio>(std::vector<float>(63), 63, like.rate());
    case 9:
      return name = "audio of denormal numbers", filled(1e-40f, 8);
    default:
      return nullptr;
  }
}

std::shared_ptr<const Payload> hostile_text(std::size_t number, std::string& name) {
  switch (number) {
    case 0:
      return name = "an empty text", std::make_shared<Text>(std::string());
    case 1:
      return name = "invalid UTF-8", std::make_shared<Text>(std::string("\xFF\xC3 x \xE2\x82"));
    case 2:
      return name = "a text with NUL bytes", std::make_shared<Text>(std::string("a\0b\0", 4));
    case 3:
      return name = "a text of a million bytes", std::make_shared<Text>(std::string(1'000'000, 'x'));
    case 4:
      return name = "a text of line breaks", std::make_shared<Text>(std::string("\n\r\n\n\r"));
    default:
      return nullptr;
  }
}

std::shared_ptr<const Payload> hostile_record(std::size_t number, const Object& like, std::string& name) {
  const auto each = [&](const Value& value) {
    Object object;
    for (const auto& member : like) object.set(member.first, value);
    return std::make_shared<Record>(std::move(object));
  };
  switch (number) {
    case 0:
      return name = "an empty record", std::make_shared<Record>(Object{});
    case 1:
      return name = "a record that is no JSON",
             std::make_shared<Record>(Buffer::own(std::string("{\"a\": ")));
    case 2:
      return name = "a record that is a JSON array",
             std::make_shared<Record>(Buffer::own(std::string("[1]")));
    case 3: {
      std::string deep(900, '[');
      deep = "{\"a\":" + deep + std::string(900, ']') + "}";
      return name = "a record 900 lists deep", std::make_shared<Record>(Buffer::own(std::move(deep)));
    }
    case 4:
      return name = "a record of nulls", each(nullptr);
    case 5:
      return name = "a record of 1e308", each(1e308);
    case 6:
      return name = "a record of -9223372036854775808", each(std::numeric_limits<std::int64_t>::min());
    case 7:
      return name = "a record of strings", each("not a number");
    case 8:
      return name = "a record of lists", each(Array{1, "a", nullptr});
    case 9:
      return name = "a record of NaN", each(std::numeric_limits<double>::quiet_NaN());
    case 10:
      return name = "a record of objects", each(Object{{"a", 1}});
    default:
      return nullptr;
  }
}

std::shared_ptr<const Payload> hostile_frame(std::size_t number, PixelFormat format, DType depth,
                                             std::string& name) {
  constexpr int kSides[][2] = {{1, 1}, {1, 2}, {2, 1}, {3, 5}, {17, 1}, {1, 4099}, {8191, 2}};
  Random random(number);
  if (number < std::size(kSides)) {
    const auto [w, h] = kSides[number];
    name = "a picture of " + std::to_string(w) + "x" + std::to_string(h);
    return std::make_shared<Frame>(frame_of(w, h, format, depth, random));
  }
  if (number == 7)
    return name = "an RGB picture of floats",
           std::make_shared<Frame>(frame_of(5, 3, PixelFormat::kRgb, DType::kF32, random));
  if (number == 8)
    return name = "a 16-bit picture",
           std::make_shared<Frame>(frame_of(5, 3, PixelFormat::kYuv420, DType::kU16, random));
  if (number == 9) {
    std::vector<float> values(12, std::numeric_limits<float>::quiet_NaN());
    std::vector<Frame::Plane> planes{{Buffer::own(std::move(values)), 4, 3, 16}};
    return name = "a picture that is not a number",
           std::make_shared<Frame>(4, 3, PixelFormat::kGray, DType::kF32, std::move(planes));
  }
  return nullptr;
}

std::shared_ptr<const Payload> hostile_tensor(std::size_t number, DType type, std::string& name) {
  Random random(number);
  switch (number) {
    case 0:
      return name = "a tensor without an element",
             std::make_shared<Tensor>(Buffer(), type, std::vector<std::int64_t>{0});
    case 1:
      return name = "a tensor of shape 0x4611686018427387904",
             std::make_shared<Tensor>(Buffer(), type, std::vector<std::int64_t>{0, std::int64_t{1} << 62});
    case 2:
      return name = "a scalar",
             std::make_shared<Tensor>(elements(type, 1, random), type, std::vector<std::int64_t>{});
    case 3:
      return name = "a tensor that is not a number",
             std::make_shared<Tensor>(
                 Tensor::of(std::vector<float>(6, std::numeric_limits<float>::quiet_NaN()), {6}));
    case 4:
      return name = "a tensor of 32 dimensions",
             std::make_shared<Tensor>(elements(type, 1, random), type, std::vector<std::int64_t>(32, 1));
    case 5:
      return name = "a tensor of bytes",
             std::make_shared<Tensor>(random_bytes(6, random), DType::kU8, std::vector<std::int64_t>{6});
    case 6:
      return name = "a tensor with strides 0",
             std::make_shared<Tensor>(elements(type, 4, random), type, std::vector<std::int64_t>{1000, 4},
                                      std::vector<std::int64_t>{0, 1});
    default:
      return nullptr;
  }
}

std::shared_ptr<const Payload> plain_payload(PayloadType type) {
  Random random(1);
  switch (type) {
    case PayloadType::kBytes:
      return std::make_shared<Bytes>(Buffer::own(std::string("bytes")));
    case PayloadType::kRecord:
      return std::make_shared<Record>(Object{{"n", 1}});
    case PayloadType::kAudio:
      return std::make_shared<Audio>(std::vector<float>(8), 1, 16000);
    case PayloadType::kFrame:
      return std::make_shared<Frame>(frame_of(2, 2, PixelFormat::kGray, DType::kU8, random));
    case PayloadType::kTensor:
      return std::make_shared<Tensor>(Tensor::of(std::vector<float>(4), {4}));
    default:
      return std::make_shared<Text>(std::string("text"));
  }
}

}  // namespace stream::laws
