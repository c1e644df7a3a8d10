/// HDF5's contact with files, through stream/file.hpp: what tests make fail there fails inside HDF5 too.
#pragma once

#include <hdf5.h>

#include <string>

namespace stream {

/// Makes `access` (file access properties) open files through `files()`. False when HDF5 refuses.
bool use_stream_files(hid_t access);

/// To be asked when a file has been written: HDF5 itself does not learn of it. What the system answered to
/// the last call that failed on this thread ("cannot write at byte 8: No space left on device"); empty when
/// none did since it was asked last.
std::string take_file_failure();

}  // namespace stream
