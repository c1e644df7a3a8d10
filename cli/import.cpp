/// stream import: other people's tensor files and models into HDF5 archives.
#include <filesystem>

#include "hdf5/archive_library.hpp"
#include "import/model_importer.hpp"
#include "stream/error.hpp"
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
  Import()
      : Verb("import", "Turn safetensors, PyTorch and NumPy files or language models into an HDF5 archive.") {
    option("SRC", "FILE", &from_,
           ".safetensors, .bin, .pt, .pth, .ckpt, .npz or .npy, or a folder with model.safetensors or "
           "pytorch_model.bin or an index; with config.json beside them, a language model")
        .required = true;
    option("DST", "FILE", &to_, "archive to write").required = true;
    option("--dtype", "TYPE", &dtype_,
           "store a language model's matrices as this type (default: as they are)")
        .choices = {"float32", "bfloat16", "float16"};
    option("--tensors", "", &tensors_, "import the tensors alone, whatever config.json says");
    option("-q,--quiet", "", &quiet_, "print no summary");
    example("weights of a model, then what is in them",
            "stream import model.safetensors model.h5 && stream checkpoint show model.h5");
    example("a language model as Hugging Face has it: config.json, tokenizer and weights in one file",
            "stream import Llama-3.2-1B llama.h5 --dtype bfloat16");
  }
  int run() override {
    // The library that knows models is not loaded for what cannot be one.
    const bool may_be_model = std::filesystem::exists(std::filesystem::path(from_) / "config.json") ||
                              std::filesystem::exists(std::filesystem::path(from_) / "lit_config.json");
    if (may_be_model && !tensors_ && model_importer().accepts(from_)) {
      const std::string what = model_importer().import(from_, to_, dtype_.value_or(""));
      if (!quiet_) print(to_ + ": " + what + "\n");
      return 0;
    }
    if (dtype_)
      throw Error(ExitCode::kUsage,
                  "--dtype is for language models: " + from_ + " is not one, or --tensors was given");
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
  std::optional<std::string> dtype_;
  bool quiet_ = false, tensors_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_import() { return std::make_unique<Import>(); }

}  // namespace stream::cli
