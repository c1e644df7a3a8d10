/// An archive as lines for people, as JSON, and against another one.
#pragma once

#include <string>
#include <vector>

#include "stream/archive.hpp"

namespace stream::cli {

/// One value or group: its path from the root, kind ("group", "float32", "string", ...), shape, bytes and,
/// where it is short, its value.
struct ArchiveLine {
  std::string path, kind, shape, value;
  std::size_t bytes = 0;
};
/// In the order of paths; the bytes of a group are those of all that it holds.
std::vector<ArchiveLine> lines_of(const Archive& archive);

/// The paths that differ, each with a word on how.
struct ArchiveDifference {
  std::string path, what;
};
std::vector<ArchiveDifference> differences(const Archive& a, const Archive& b);

}  // namespace stream::cli
