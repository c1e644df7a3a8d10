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
/// The same, but larger tensors are not read: they are the file's own pages, which the system loads when they
/// are looked at and drops when memory is short. For files that are replaced, never changed: they stay
/// readable when another takes their name.
Archive map_archive(const std::string& path);
struct NamelessArchive {
  Archive archive;
  Buffer pages;  ///< the file, for `let_go`; empty when the system could not map it
};
/// Writes an archive that lives as long as this process needs it: a file that is mapped as `map_archive` does
/// and has no name any more. `path`: the name it has meanwhile. It is neither synced nor checked. Throws
/// Error(kCannotWrite), and leaves nothing behind.
NamelessArchive write_nameless_archive(const std::string& path, const Archive& archive);

}  // namespace stream
