/// MD5 (RFC 1321), which FLAC keeps of its audio, with a state that a checkpoint can hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stream/archive.hpp"

namespace stream {

class Md5 {
 public:
  using Digest = std::array<std::uint8_t, 16>;
  Md5();
  void update(std::span<const std::uint8_t> bytes);
  /// Of everything so far; more may follow.
  Digest digest() const;
  void save(Archive& state) const;
  /// Throws Error(kBadData) for what `save` did not write.
  void load(const Archive& state);

 private:
  /// OpenSSL's MD5_CTX: chaining value, bits so far, the block that is not full yet and its length.
  std::array<std::uint32_t, 23> state_;
};

/// As 32 hexadecimal digits.
std::string hexadecimal(const Md5::Digest& digest);

}  // namespace stream
