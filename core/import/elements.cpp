#include "import/elements.hpp"

#include <cstring>

#include "stream/error.hpp"

namespace stream {
namespace {

/// Index in the data of each element in row-major order.
class Walk {
 public:
  explicit Walk(const ElementPlaces& places)
      : places_(places), position_(places.shape.size(), 0), at_(places.first) {}
  std::uint64_t next() {
    const std::uint64_t here = at_;
    for (std::size_t d = position_.size(); d-- > 0;) {
      at_ += places_.strides[d];
      if (++position_[d] < places_.shape[d]) break;
      at_ -= static_cast<std::uint64_t>(places_.shape[d]) * places_.strides[d];
      position_[d] = 0;
    }
    return here;
  }

 private:
  const ElementPlaces& places_;
  std::vector<std::int64_t> position_;
  std::uint64_t at_;
};

std::vector<std::uint64_t> row_major(std::span<const std::int64_t> shape) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= static_cast<std::uint64_t>(shape[d]);
  }
  return strides;
}

/// Dimensions of one element are never stepped along.
bool is_row_major(const ElementPlaces& places) {
  const auto expected = row_major(places.shape);
  for (std::size_t d = 0; d < expected.size(); ++d)
    if (places.shape[d] > 1 && places.strides[d] != expected[d]) return false;
  return true;
}

std::uint64_t number_at(const std::byte* at, const ElementKind& kind, bool swap) {
  std::uint64_t value = 0;
  for (std::size_t b = 0; b < kind.width; ++b)
    value = value << 8 | static_cast<std::uint64_t>(at[swap ? b : kind.width - 1 - b]);
  const auto unused = static_cast<unsigned>(64 - 8 * kind.width);
  if (kind.reading == ElementKind::Reading::kSigned)
    value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
  return value;
}

}  // namespace

std::uint64_t count_elements(std::span<const std::int64_t> shape, const std::string& where) {
  std::uint64_t elements = 1;
  for (const std::int64_t n : shape) {
    if (n < 0 || __builtin_mul_overflow(elements, static_cast<std::uint64_t>(n), &elements))
      throw bad_data(where + ": shape is negative or too large");
  }
  return elements;
}

Tensor gather(const Buffer& data, const ElementKind& kind, ElementPlaces places, const std::string& where) {
  const auto elements = static_cast<std::size_t>(count_elements(places.shape, where));
  if (places.strides.empty()) places.strides = row_major(places.shape);
  const std::size_t width = size_of(kind.type);
  if (kind.reading == ElementKind::Reading::kBits && !places.swap &&
      (elements == 0 || is_row_major(places))) {
    const Buffer slice =
        data.slice(elements == 0 ? 0 : static_cast<std::size_t>(places.first) * width, elements * width);
    const bool aligned = reinterpret_cast<std::uintptr_t>(slice.data()) % width == 0;
    return Tensor(aligned ? slice : Buffer::copy(slice.bytes()), kind.type, std::move(places.shape));
  }
  std::vector<std::byte> out(elements * width);
  Walk walk(places);
  for (std::size_t i = 0; i < elements; ++i) {
    const std::uint64_t at = walk.next();
    const std::byte* const from = data.data() + at * kind.width;
    if (kind.reading == ElementKind::Reading::kBits && !places.swap) {
      std::memcpy(out.data() + i * width, from, width);
      continue;
    }
    const std::uint64_t value = number_at(from, kind, places.swap);
    if (kind.reading == ElementKind::Reading::kUnsigned && value >> 63 != 0) {
      throw bad_data(where + ": element " + std::to_string(at) + ", " + std::to_string(value) +
                     ", does not fit a signed 64-bit integer");
    }
    for (std::size_t b = 0; b < width; ++b) out[i * width + b] = static_cast<std::byte>(value >> (8 * b));
  }
  return Tensor(Buffer::own(std::move(out)), kind.type, std::move(places.shape));
}

}  // namespace stream
