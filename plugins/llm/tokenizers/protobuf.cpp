#include "llm/tokenizers/protobuf.hpp"

#include <bit>
#include <string>

#include "stream/error.hpp"

namespace stream::llm {

void ProtobufReader::wrong(const char* expected) const {
  throw bad_data("offset " + std::to_string(offset_ + field_at_) + ": expected " + expected + " (field " +
                 std::to_string(field_) + ")");
}

std::uint64_t ProtobufReader::read_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ >= message_.size()) wrong("the rest of a number");
    const auto byte = static_cast<unsigned char>(message_[at_++]);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  wrong("a number of at most ten bytes");
}

bool ProtobufReader::next() {
  field_at_ = at_;
  if (at_ == message_.size()) return false;
  const std::uint64_t key = read_varint();
  field_ = static_cast<std::uint32_t>(key >> 3);
  if (key >> 32 != 0 || field_ == 0) wrong("a field of a protocol buffer");
  const auto take = [&](std::uint64_t size) {
    if (size > message_.size() - at_) wrong("a field that ends inside its message");
    bytes_ = message_.substr(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
  };
  switch (key & 7) {
    case 0:
      number_ = read_varint();
      break;
    case 1:
      take(8);
      break;
    case 2:
      take(read_varint());
      break;
    case 5:
      take(4);
      break;
    default:
      wrong("a field of a protocol buffer");
  }
  wire_ = static_cast<Wire>(key & 7);
  return true;
}

std::uint64_t ProtobufReader::varint() const {
  if (wire_ != Wire::kVarint) wrong("a number");
  return number_;
}

float ProtobufReader::fixed32() const {
  if (wire_ != Wire::kFixed32) wrong("a float");
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) bits |= std::uint32_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
  return std::bit_cast<float>(bits);
}

std::string_view ProtobufReader::bytes() const {
  if (wire_ != Wire::kBytes) wrong("a string or message");
  return bytes_;
}

ProtobufReader ProtobufReader::message() const {
  const std::string_view inner = bytes();
  return ProtobufReader(inner, offset_ + static_cast<std::size_t>(inner.data() - message_.data()));
}

}  // namespace stream::llm
