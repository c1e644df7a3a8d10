/// Archives as HDF5 files: checkpoints, models, caches. See docs of the layout in man/checkpoint.5.
#pragma once

#include <string>

#include "stream/archive.hpp"

namespace stream {

/// A file is HDF5, then a trailer of 64 bytes: magic "STREAMH5", format version, length and SHA-256 of what
/// precedes. HDF5 ignores bytes behind its own end, so `h5ls` reads the file; we check the digest before
/// HDF5's parser sees it.

/// Writes `temporary` and reads it back to check it, for `commit_file(temporary, path)` to follow. Throws
/// Error(kCannotWrite) that names `path`, and leaves nothing behind then.
void write_archive_beside(const std::string& temporary, const std::string& path, const Archive& archive);
/// Atomic: old content or new, never half. Throws Error(kCannotWrite).
void write_archive(const std::string& path, const Archive& archive);
/// True when it ends as an archive does, whole or not. Throws Error(kNoInput) when it cannot be read.
bool is_archive(const std::string& path);
/// Throws Error(kNoInput) when it is not there or cannot be read, Error(kBadData) with path and reason when
/// it is damaged, cut short or of a newer version.
Archive read_archive(const std::string& path);

}  // namespace stream
