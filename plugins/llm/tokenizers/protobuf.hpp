/// The wire format of Protocol Buffers, as far as a reader of one message needs it.
#pragma once

#include <cstdint>
#include <string_view>

namespace stream::llm {

/// Goes through the fields of a message. Everything is checked against its end.
class ProtobufReader {
 public:
  /// `offset`: of the message in its file, for messages about what is wrong.
  explicit ProtobufReader(std::string_view message, std::size_t offset = 0)
      : message_(message), offset_(offset) {}

  /// Moves to the next field; false at the end. Throws Error(kBadData) with the offset of what is no field.
  bool next();
  std::uint32_t field() const { return field_; }
  /// The present field's value; throws Error(kBadData) when it is of another kind.
  std::uint64_t varint() const;
  float fixed32() const;
  std::string_view bytes() const;
  ProtobufReader message() const;
  std::size_t offset() const { return offset_ + field_at_; }

 private:
  enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  [[noreturn]] void wrong(const char* expected) const;
  std::uint64_t read_varint();

  std::string_view message_;
  std::size_t offset_, at_ = 0, field_at_ = 0;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::kVarint;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace stream::llm
