/// The last 64 bytes of an archive: what tells a whole file from one that is cut short or damaged. See
/// man/checkpoint.5.
#pragma once

#include <cstdint>
#include <string>

namespace stream {

/// 0 when it cannot be asked for.
std::uint64_t size_on_disk(const std::string& path);
/// Of what the file holds now.
void append_trailer(const std::string& path);
/// Throws Error(kBadData) unless the file is whole and of a version that we read.
void check_trailer(const std::string& path);

}  // namespace stream
