#include "stream/payload.hpp"

#include "stream/error.hpp"
#include "stream/packet.hpp"

namespace stream {

Payload::~Payload() = default;

namespace {

constexpr const char* kTypeNames[] = {"any", "bytes", "text", "record", "audio", "frame", "tensor"};
constexpr const char* kDTypeNames[] = {"uint8",   "uint16",   "int32",   "int64",
                                       "float16", "bfloat16", "float32", "float64"};
constexpr std::size_t kDTypeSizes[] = {1, 2, 4, 8, 2, 2, 4, 8};

std::size_t frame_bytes(const std::vector<Frame::Plane>& planes) {
  std::size_t bytes = 0;
  for (const auto& plane : planes) bytes += plane.data.size();
  return bytes;
}

}  // namespace

const char* name_of(PayloadType type) { return kTypeNames[static_cast<int>(type)]; }

PayloadType payload_type(std::string_view name) {
  for (int i = 0; i < 7; ++i) {
    if (name == kTypeNames[i]) return static_cast<PayloadType>(i);
  }
  throw bad_recipe("unknown payload type '" + std::string(name) + "'");
}

std::size_t size_of(DType type) { return kDTypeSizes[static_cast<int>(type)]; }
const char* name_of(DType type) { return kDTypeNames[static_cast<int>(type)]; }

DType dtype(std::string_view name) {
  for (int i = 0; i < 8; ++i) {
    if (name == kDTypeNames[i]) return static_cast<DType>(i);
  }
  throw bad_data("unknown tensor element type '" + std::string(name) + "'");
}

void Packet::wrong_type(PayloadType expected) const {
  throw bad_data(std::string("expected a ") + name_of(expected) + " packet, got " +
                 (payload ? name_of(payload->type()) : "an empty one"));
}

Record::Record(Object object) : Payload(kType, 64), from_text_(false), object_(std::move(object)) {}

Record::Record(Buffer json) : Payload(kType, json.size()), from_text_(true), json_(std::move(json)) {}

const Object& Record::object() const {
  if (!from_text_) return object_;
  std::call_once(converted_, [this] {
    Value value = Value::parse(json_.text());
    if (!value.is_object()) throw bad_data(std::string("expected a JSON object, got ") + value.kind());
    object_ = std::move(value.object());
  });
  return object_;
}

const Value& Record::at(std::string_view name) const {
  if (const Value* value = find(name)) return *value;
  std::vector<std::string> names;
  for (const auto& member : object()) names.push_back(member.first);
  throw bad_data("the record has no member '" + std::string(name) + "'" + did_you_mean(name, names));
}

std::string_view Record::json() const {
  if (from_text_) return json_.text();
  std::call_once(converted_, [this] { json_ = Buffer::own(Value(object_).dump()); });
  return json_.text();
}

Audio::Audio(Buffer samples, int channels, int rate)
    : Payload(kType, samples.size()), samples_(std::move(samples)), channels_(channels), rate_(rate) {
  if (channels < 1 || rate < 1) {
    throw bad_data("audio needs at least one channel and a positive rate, got " + std::to_string(channels) +
                   " channels at " + std::to_string(rate) + " Hz");
  }
  if (samples_.size() % (sizeof(float) * static_cast<std::size_t>(channels)) != 0) {
    throw bad_data("audio of " + std::to_string(samples_.size()) + " bytes is no whole number of frames of " +
                   std::to_string(channels) + " float samples");
  }
}

Frame::Frame(int width, int height, PixelFormat format, DType depth, std::vector<Plane> planes,
             ColorRange range, std::string matrix, int bits, Sampling sampling)
    : Payload(kType, frame_bytes(planes)),
      width_(width),
      height_(height),
      format_(format),
      depth_(depth),
      range_(range),
      bits_(bits),
      matrix_(std::move(matrix)),
      sampling_(sampling),
      planes_(std::move(planes)) {
  if (sampling.aspect_width < 0 || sampling.aspect_height < 0 ||
      (sampling.aspect_width == 0) != (sampling.aspect_height == 0)) {
    throw bad_data("pixels of " + std::to_string(sampling.aspect_width) + ":" +
                   std::to_string(sampling.aspect_height) + ", expected two positive numbers, or 0:0");
  }
  if (sampling.siting > ChromaSiting::kTopLeft || sampling.fields > FieldOrder::kMixed)
    throw bad_data("a frame whose chroma siting or field order there is not");
  if (width < 1 || height < 1) throw bad_data("a frame needs a positive width and height");
  if (depth != DType::kU8 && depth != DType::kU16 && depth != DType::kF32) {
    throw bad_data(std::string("a frame's samples are uint8, uint16 or float32, not ") + name_of(depth));
  }
  const std::size_t count = format == PixelFormat::kGray ? 1 : 3;
  if (planes_.size() != count) {
    throw bad_data("the frame's format has " + std::to_string(count) + " planes, got " +
                   std::to_string(planes_.size()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Plane& plane = planes_[i];
    const bool chroma = i > 0;
    const bool half_width = chroma && (format == PixelFormat::kYuv420 || format == PixelFormat::kYuv422);
    const bool half_height = chroma && format == PixelFormat::kYuv420;
    const int w = half_width ? (width - 1) / 2 + 1 : width, h = half_height ? (height - 1) / 2 + 1 : height;
    const std::size_t row = static_cast<std::size_t>(w) * size_of(depth);
    if (plane.width != w || plane.height != h) {
      throw bad_data("plane " + std::to_string(i) + " should be " + std::to_string(w) + "x" +
                     std::to_string(h) + ", is " + std::to_string(plane.width) + "x" +
                     std::to_string(plane.height));
    }
    // Written as a division so that a hostile stride cannot overflow.
    if (plane.stride < row || plane.data.size() < row ||
        (plane.data.size() - row) / plane.stride < static_cast<std::size_t>(h - 1)) {
      throw bad_data("plane " + std::to_string(i) + " is smaller than its size and stride say");
    }
  }
}

Tensor::Tensor(Buffer data, DType type, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides)
    : Payload(kType, data.size()),
      data_(std::move(data)),
      type_(type),
      shape_(std::move(shape)),
      strides_(std::move(strides)) {
  std::int64_t elements = 1;
  bool empty = false;
  for (const std::int64_t n : shape_) {
    if (n < 0) throw bad_data("a tensor's dimension is negative");
    if (n == 0)
      empty = true;
    else if (__builtin_mul_overflow(elements, n, &elements))
      throw bad_data("a tensor's size overflows");
  }
  if (strides_.empty()) {
    strides_.resize(shape_.size());
    std::int64_t step = 1;
    for (std::size_t i = shape_.size(); i-- > 0;) {
      strides_[i] = step;
      step *= std::max<std::int64_t>(1, shape_[i]);
    }
  } else if (strides_.size() != shape_.size()) {
    throw bad_data("a tensor has as many strides as dimensions");
  }
  std::int64_t last = 0;
  for (std::size_t i = 0; i < shape_.size() && !empty; ++i) {
    std::int64_t reach = 0;
    if (strides_[i] < 0) throw bad_data("a tensor's stride is negative");
    if (__builtin_mul_overflow(shape_[i] - 1, strides_[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      throw bad_data("a tensor's size overflows");
    }
  }
  if (!empty && static_cast<std::uint64_t>(last) >= data_.size() / size_of(type)) {
    throw bad_data("a tensor's buffer of " + std::to_string(data_.size()) +
                   " bytes is too small for its shape");
  }
}

std::int64_t Tensor::elements() const {
  std::int64_t n = 1;
  for (const std::int64_t d : shape_) n *= d;
  return n;
}

bool Tensor::contiguous() const {
  std::int64_t step = 1;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != step) return elements() == 0;
    step *= shape_[i];
  }
  return true;
}

void Tensor::require(DType type) const {
  if (type != type_) {
    throw bad_data(std::string("expected a tensor of ") + name_of(type) + ", got " + name_of(type_));
  }
  if (!contiguous()) throw bad_data("expected a contiguous tensor");
}

}  // namespace stream
