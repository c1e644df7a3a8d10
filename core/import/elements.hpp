/// Elements of other programs' tensors as those of ours.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stream/buffer.hpp"
#include "stream/payload.hpp"

namespace stream {

/// Tensors here have no int8, int16, uint32 and uint64: those are widened, and uint64 must fit int64.
/// Booleans keep their byte.
struct ElementKind {
  enum class Reading : std::uint8_t { kBits, kSigned, kUnsigned };
  std::size_t width;  ///< bytes of one in the file
  DType type;         ///< what it becomes
  Reading reading = Reading::kBits;
};

/// Where the elements of a tensor lie, counted in elements from the front of some data.
struct ElementPlaces {
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> strides;  ///< by dimension; empty: row-major
  std::uint64_t first = 0;
  bool swap = false;  ///< most significant byte first
};
/// Elements of that shape. Throws Error(kBadData) for a negative dimension and for more than 64 bits can
/// count.
std::uint64_t count_elements(std::span<const std::int64_t> shape, const std::string& where);

/// A row-major tensor of the elements, all of which must lie inside `data` (the caller has looked). It shares
/// the data's memory where nothing has to be changed.
Tensor gather(const Buffer& data, const ElementKind& kind, ElementPlaces places, const std::string& where);

}  // namespace stream
