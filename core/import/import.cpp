#include "import/import.hpp"

#include <filesystem>

#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

bool ends_with(const std::string& text, std::string_view ending) {
  return text.size() >= ending.size() &&
         text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

}  // namespace

void put_tensor(Archive& archive, std::string_view dotted, Tensor tensor, const std::string& file) {
  const std::string whole(dotted);
  if (whole.find('\0') != std::string::npos)
    throw bad_data(file + ": tensor name '" + whole.substr(0, whole.find('\0')) + "' goes on behind a NUL");
  Archive* group = &archive;
  while (true) {
    const auto cut = dotted.find_first_of("./");
    const std::string_view part = dotted.substr(0, cut);
    if (part.empty()) throw bad_data(file + ": tensor name '" + whole + "' has an empty part");
    const auto found = group->entries().find(part);
    const bool there = found != group->entries().end();
    if (cut == std::string_view::npos) {
      if (there)
        throw bad_data(file + ": tensor '" + whole + "' is there twice, or is a group of others as well");
      group->set(part, std::move(tensor));
      return;
    }
    if (there && !std::holds_alternative<std::shared_ptr<Archive>>(found->second)) {
      throw bad_data(file + ": '" + std::string(part) + "' in '" + whole +
                     "' is a tensor and a group of others as well");
    }
    group = &group->group(part);
    dotted.remove_prefix(cut + 1);
  }
}

Archive import_tensors(const std::string& path) {
  if (std::filesystem::is_directory(path)) return read_tensor_folder(path);
  if (ends_with(path, ".safetensors"))
    return read_safetensors(Buffer::own(read_file(path, kLargestTensorFile)), path);
  if (ends_with(path, ".npz")) return read_npz(Buffer::own(read_file(path, kLargestTensorFile)), path);
  if (ends_with(path, ".npy")) {
    Archive archive;
    put_tensor(archive, std::filesystem::path(path).stem().string(),
               read_npy(Buffer::own(read_file(path, kLargestTensorFile)), path), path);
    return archive;
  }
  for (const char* ending : {".bin", ".pt", ".pth", ".ckpt"})
    if (ends_with(path, ending)) return read_torch(Buffer::own(read_file(path, kLargestTensorFile)), path);
  throw bad_data(
      path +
      ": expected a name that ends with .safetensors, .bin, .pt, .pth, .ckpt, .npz or .npy, or a folder "
      "with model.safetensors or pytorch_model.bin");
}

}  // namespace stream
