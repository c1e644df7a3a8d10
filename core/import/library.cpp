/// The entry of libstream-hdf5 for programs that load it when first needed.
#include "hdf5/archive_file.hpp"
#include "hdf5/archive_library.hpp"
#include "hdf5/mapped_file.hpp"
#include "import/import.hpp"

extern "C" __attribute__((visibility("default"))) const stream::ArchiveLibrary* stream_archive_library() {
  static constexpr stream::ArchiveLibrary kLibrary{
      .read = &stream::read_archive,
      .write = &stream::write_archive,
      .is_archive = &stream::is_archive,
      .map = &stream::map_archive,
      .write_beside = &stream::write_archive_beside,
      .write_nameless = &stream::write_nameless_archive,
      .let_go = &stream::let_go,
      .import_tensors = &stream::import_tensors,
  };
  return &kLibrary;
}
