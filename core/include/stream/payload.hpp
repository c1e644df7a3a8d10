/// What a packet carries. Payloads are immutable; their buffers are shared, never copied, between operators.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "stream/buffer.hpp"
#include "stream/value.hpp"

namespace stream {

enum class PayloadType : std::uint8_t { kAny, kBytes, kText, kRecord, kAudio, kFrame, kTensor };
/// "any", "bytes", "text", "record", "audio", "frame" or "tensor".
const char* name_of(PayloadType type);
/// The inverse of `name_of`; throws Error(kBadRecipe) for anything else.
PayloadType payload_type(std::string_view name);

class Payload {
 public:
  virtual ~Payload();
  PayloadType type() const { return type_; }
  /// Bytes of memory that the payload holds on to: what in-flight limits count.
  std::size_t bytes() const { return bytes_; }

 protected:
  Payload(PayloadType type, std::size_t bytes) : bytes_(bytes), type_(type) {}

 private:
  std::size_t bytes_;
  PayloadType type_;
};

/// Raw bytes in the order of the stream. How they are cut into packets carries no meaning.
class Bytes final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kBytes;
  explicit Bytes(Buffer data) : Payload(kType, data.size()), data_(std::move(data)) {}
  const Buffer& buffer() const { return data_; }
  std::span<const std::byte> data() const { return data_.bytes(); }

 private:
  Buffer data_;
};

/// Valid UTF-8, one unit (a line, a sentence, a token) for each packet, without a line terminator.
class Text final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kText;
  explicit Text(Buffer utf8) : Payload(kType, utf8.size()), utf8_(std::move(utf8)) {}
  explicit Text(std::string utf8) : Text(Buffer::own(std::move(utf8))) {}
  std::string_view str() const { return utf8_.text(); }
  const Buffer& buffer() const { return utf8_; }

 private:
  Buffer utf8_;
};

/// A JSON object. Made from text it is parsed when first opened, and never if nobody opens it.
class Record final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kRecord;
  explicit Record(Object object);
  /// `json` must be one JSON object; it is checked when first opened (readers check it before).
  explicit Record(Buffer json);

  /// Throws Error(kBadData) when the text is not a JSON object.
  const Object& object() const;
  /// The member, or null.
  const Value* find(std::string_view name) const { return object().find(name); }
  /// The member; throws Error(kBadData) that names it, and the nearest one there is, when it is missing.
  const Value& at(std::string_view name) const;
  /// One line of JSON: the original text where there is one.
  std::string_view json() const;

 private:
  const bool from_text_;
  mutable std::once_flag converted_;  ///< from the form that it was made of to the other one
  mutable Object object_;
  mutable Buffer json_;
};

/// Float32 samples, interleaved by channel, nominally in [-1, 1].
class Audio final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kAudio;
  /// `samples`: frames x channels floats. Throws Error(kBadData) unless channels >= 1, rate >= 1 and the
  /// number of samples is a multiple of channels.
  Audio(Buffer samples, int channels, int rate);
  Audio(std::vector<float> samples, int channels, int rate)
      : Audio(Buffer::own(std::move(samples)), channels, rate) {}
  std::span<const float> samples() const { return samples_.as<float>(); }
  const Buffer& buffer() const { return samples_; }
  int channels() const { return channels_; }
  int rate() const { return rate_; }  ///< frames per second
  std::size_t frames() const { return samples_.size() / sizeof(float) / static_cast<std::size_t>(channels_); }

 private:
  Buffer samples_;
  int channels_, rate_;
};

enum class DType : std::uint8_t { kU8, kU16, kI32, kI64, kF16, kBF16, kF32, kF64 };
std::size_t size_of(DType type);
const char* name_of(DType type);     ///< "uint8", "uint16", "int32", ... (NumPy's names; "bfloat16")
DType dtype(std::string_view name);  ///< throws Error(kBadData) for an unknown name

enum class PixelFormat : std::uint8_t { kGray, kYuv420, kYuv422, kYuv444, kRgb };
enum class ColorRange : std::uint8_t { kUnspecified, kLimited, kFull };
/// Where a sample of halved chroma lies: beside the left of its luma samples ("mpeg2"), in the middle of them
/// ("jpeg"), on the upper left one ("paldv").
enum class ChromaSiting : std::uint8_t { kUnspecified, kLeft, kCentre, kTopLeft };
/// Which rows were taken first. Mixed: it changes from frame to frame, and nobody says how.
enum class FieldOrder : std::uint8_t { kUnknown, kProgressive, kTopFirst, kBottomFirst, kMixed };

/// How a picture's samples lie in space and time. It says how to show them, not what they are: within one
/// stream it may change, as broadcasts do between programmes.
struct Sampling {
  std::int32_t aspect_width = 0, aspect_height = 0;  ///< of a pixel, as a ratio; 0:0 is unknown
  ChromaSiting siting = ChromaSiting::kUnspecified;  ///< of formats that halve chroma
  FieldOrder fields = FieldOrder::kUnknown;
  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// One picture in planes. Chroma planes of odd-sized pictures round up.
class Frame final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kFrame;
  struct Plane {
    Buffer data;
    int width, height;   ///< samples
    std::size_t stride;  ///< bytes from one row to the next
  };
  /// Throws Error(kBadData) when planes do not fit the format and size, a buffer is too small, or one side of
  /// the pixel aspect is negative or alone zero.
  /// kRgb is three planes R, G, B. `matrix` is a name of FFmpeg's colour spaces ("bt709", ...), or empty.
  Frame(int width, int height, PixelFormat format, DType depth, std::vector<Plane> planes,
        ColorRange range = ColorRange::kUnspecified, std::string matrix = {}, int bits = 8,
        Sampling sampling = {});
  int width() const { return width_; }
  int height() const { return height_; }
  PixelFormat format() const { return format_; }
  DType depth() const { return depth_; }  ///< kU8, kU16 or kF32
  int bits() const { return bits_; }      ///< significant bits of a sample, 8 to 16 (integer depths)
  ColorRange range() const { return range_; }
  const std::string& matrix() const { return matrix_; }
  const Sampling& sampling() const { return sampling_; }
  std::span<const Plane> planes() const { return planes_; }

 private:
  int width_, height_;
  PixelFormat format_;
  DType depth_;
  ColorRange range_;
  int bits_;
  std::string matrix_;
  Sampling sampling_;
  std::vector<Plane> planes_;
};

/// An n-dimensional array. Strides count elements and are row-major unless given.
class Tensor final : public Payload {
 public:
  static constexpr PayloadType kType = PayloadType::kTensor;
  /// Throws Error(kBadData) when a dimension is negative, sizes overflow or the buffer is too small.
  Tensor(Buffer data, DType type, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides = {});
  template <typename T>
  static Tensor of(std::vector<T> values, std::vector<std::int64_t> shape);

  DType dtype() const { return type_; }
  std::span<const std::int64_t> shape() const { return shape_; }
  std::span<const std::int64_t> strides() const { return strides_; }
  const Buffer& buffer() const { return data_; }
  std::int64_t elements() const;
  bool contiguous() const;
  /// Row-major values; throws Error(kBadData) unless T fits the dtype and the tensor is contiguous.
  template <typename T>
  std::span<const T> values() const;

 private:
  void require(DType type) const;
  Buffer data_;
  DType type_;
  std::vector<std::int64_t> shape_, strides_;
};

template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return DType::kU8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DType::kU16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::kI32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::kI64;
  else if constexpr (std::is_same_v<T, float>)
    return DType::kF32;
  else {
    static_assert(std::is_same_v<T, double>, "no such tensor element");
    return DType::kF64;
  }
}

template <typename T>
Tensor Tensor::of(std::vector<T> values, std::vector<std::int64_t> shape) {
  return Tensor(Buffer::own(std::move(values)), dtype_of<T>(), std::move(shape));
}

template <typename T>
std::span<const T> Tensor::values() const {
  require(dtype_of<T>());
  return data_.as<T>().first(static_cast<std::size_t>(elements()));
}

}  // namespace stream
