/// stream import: other people's tensor files into HDF5 archives.
#include "hdf5/archive_library.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

std::size_t count_tensors(const Archive& archive) {
  std::size_t count = 0;
  for (const auto& [name, entry] : archive.entries()) {
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry))
      count += count_tensors(**group);
    else
      ++count;
  }
  return count;
}

class Import final : public Verb {
 public:
  Import() : Verb("import", "Turn safetensors or NumPy files into an HDF5 archive.") {
    option("SRC", "FILE", &from_,
           ".safetensors, .npz or .npy, or a folder with model.safetensors or its index")
        .required = true;
    option("DST", "FILE", &to_, "archive to write").required = true;
    option("-q,--quiet", "", &quiet_, "print no summary");
    example("weights of a model, then what is in them",
            "stream import model.safetensors model.h5 && stream checkpoint show model.h5");
  }
  int run() override {
    const ArchiveLibrary& library = archive_library();
    const Archive archive = library.import_tensors(from_);
    library.write(to_, archive);
    if (!quiet_)
      print(to_ + ": " + std::to_string(count_tensors(archive)) + " tensors, " +
            bytes_text(static_cast<double>(archive.bytes())) + "\n");
    return 0;
  }

 private:
  std::string from_, to_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_import() { return std::make_unique<Import>(); }

}  // namespace stream::cli
