/// The entry of libstream-hdf5 for programs that load it when first needed.
#include "hdf5/archive_file.hpp"
#include "hdf5/archive_library.hpp"
#include "import/import.hpp"

extern "C" __attribute__((visibility("default"))) const stream::ArchiveLibrary* stream_archive_library() {
  static constexpr stream::ArchiveLibrary kLibrary{&stream::read_archive, &stream::write_archive,
                                                   &stream::import_tensors};
  return &kLibrary;
}
