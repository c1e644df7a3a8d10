/// Token ids packed into a binary file, as lit-gpt and TinyLlama keep the data that they pre-train on: 24
/// bytes of header, little-endian and without gaps, then the ids.
///
///     0   7 bytes   "LITPKDS"
///     7   uint64    version, 1
///     15  uint8     kind of an id: 1 uint8, 2 int8, 3 int16, 4 int32, 5 int64, 8 uint16 (6 and 7 are floats)
///     16  uint64    number of ids
///     24  the ids
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stream/file.hpp"

namespace stream::llm {

class PackedTokens {
 public:
  /// "-" is stdin, whose header is read when ids are asked for; others' at once. Throws Error(kNoInput) for a
  /// missing file, Error(kBadData) with the offset and what was expected for another one, also when a regular
  /// file's length is not what the header says.
  explicit PackedTokens(const std::string& path);

  std::uint64_t size() const { return size_; }  ///< ids in all; 0 before the header was read
  std::uint64_t at() const { return at_; }      ///< ids that were read
  /// Up to `most` of the next ids, at least one: none at the end, or when the read was interrupted. Throws
  /// Error(kBadData) for ids below 0 or above 2^31 - 1, and when the file ends before them.
  std::vector<std::int32_t> read(std::int64_t most);
  bool ended() const { return width_ > 0 && at_ == size_; }
  /// Moves to the id of that number.
  void skip_to(std::uint64_t id);
  void interrupt() { input_.interrupt(); }
  const std::string& name() const { return input_.name(); }

 private:
  /// False when it was interrupted.
  bool read_header();
  InputFile input_;
  std::uint64_t size_ = 0, at_ = 0;
  std::size_t width_ = 0;  ///< of an id; 0 before the header was read
  bool signed_ = false;
  std::vector<std::byte> rest_;  ///< of the header or an id that was read in part
};

}  // namespace stream::llm
