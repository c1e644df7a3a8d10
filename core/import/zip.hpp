/// Just enough of zip for .npz and PyTorch's files: members that are stored or deflated, with zip64 sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stream/buffer.hpp"

namespace stream {

struct ZipMember {
  std::string name;
  std::uint16_t method = 0;  ///< 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0, size = 0;
  std::uint64_t header = 0;  ///< offset of its local header
};

/// The central directory. Throws Error(kBadData) with the offset of whatever does not fit the file.
std::vector<ZipMember> read_zip_directory(const Buffer& file, const std::string& name);
/// The member's bytes, CRC checked.
Buffer extract(const Buffer& file, const ZipMember& member, const std::string& name);

}  // namespace stream
