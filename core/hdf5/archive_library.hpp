/// Archive files for a program that starts without HDF5: the library is loaded when the first of them is
/// opened.
#pragma once

#include <string>

#include "stream/archive.hpp"

namespace stream {

/// What libstream-hdf5 offers, behind its `extern "C" const ArchiveLibrary* stream_archive_library()`.
struct ArchiveLibrary {
  Archive (*read)(const std::string& path);                        ///< read_archive
  void (*write)(const std::string& path, const Archive& archive);  ///< write_archive
  Archive (*import_tensors)(const std::string& path);  ///< safetensors, .npz, .npy: see import/import.hpp
};
/// Loads libstream-hdf5 beside libstream. Throws Error(kFailed).
const ArchiveLibrary& archive_library();

}  // namespace stream
