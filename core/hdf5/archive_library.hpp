/// Archive files for a program that starts without HDF5: the library is loaded when the first of them is
/// opened.
#pragma once

#include <string>

#include "hdf5/archive_file.hpp"

namespace stream {

/// What libstream-hdf5 offers, behind its `extern "C" const ArchiveLibrary* stream_archive_library()`.
struct ArchiveLibrary {
  Archive (*read)(const std::string& path);                        ///< read_archive
  void (*write)(const std::string& path, const Archive& archive);  ///< write_archive
  bool (*is_archive)(const std::string& path);
  Archive (*map)(const std::string& path);  ///< map_archive
  void (*write_beside)(const std::string& temporary, const std::string& path, const Archive& archive);
  NamelessArchive (*write_nameless)(const std::string& path, const Archive& archive);
  void (*let_go)(const Buffer& mapped);
  Archive (*import_tensors)(const std::string& path);  ///< of other programs: see import/import.hpp
};
/// Loads libstream-hdf5 beside libstream. Throws Error(kFailed).
const ArchiveLibrary& archive_library();

}  // namespace stream
