/// Folders as huggingface_hub has them: all tensors in one file, or an index and the shards that it names.
#include <filesystem>
#include <map>

#include "import/import.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/value.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestIndex = 100'000'000;

struct Format {
  const char* whole;
  const char* index;
  std::size_t (*read_into)(Archive&, const Buffer&, const std::string&, const std::set<std::string>*);
};
/// The first that is there is taken: where a folder has both, they hold the same.
constexpr Format kFormats[] = {
    {"model.safetensors", "model.safetensors.index.json", read_safetensors_into},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", read_torch_into},
};

Buffer bytes_of(const fs::path& path) { return Buffer::own(read_file(path.string(), kLargestTensorFile)); }

Archive read_shards(const fs::path& index_path, const Format& format) {
  Archive archive;
  try {
    const Value index = Value::parse(read_file(index_path.string(), kLargestIndex));
    const Value* const map = index.as_object().find("weight_map");
    if (map == nullptr) throw bad_data("index lacks 'weight_map'");
    std::map<std::string, std::set<std::string>> shards;
    for (const auto& [tensor, shard] : map->as_object()) {
      // A shard is a file of this folder; a path could point anywhere.
      if (shard.as_string().find('/') != std::string::npos)
        throw bad_data("shard '" + shard.as_string() + "' is not a plain file name");
      shards[shard.as_string()].insert(tensor);
    }
    for (const auto& [shard, tensors] : shards) {
      const std::string name = (index_path.parent_path() / shard).string();
      const std::size_t found = format.read_into(archive, bytes_of(name), name, &tensors);
      if (found != tensors.size())
        throw bad_data(name + ": holds " + std::to_string(found) + " of the " +
                       std::to_string(tensors.size()) + " tensors that the index says it has");
    }
  } catch (const Error& e) {
    throw e.within(index_path.string());
  }
  return archive;
}

}  // namespace

Archive read_tensor_folder(const std::string& folder) {
  const fs::path dir(folder);
  std::string expected;
  for (const Format& format : kFormats) {
    if (fs::exists(dir / format.index)) return read_shards(dir / format.index, format);
    if (fs::exists(dir / format.whole)) {
      Archive archive;
      const std::string name = (dir / format.whole).string();
      format.read_into(archive, bytes_of(name), name, nullptr);
      return archive;
    }
    expected += (expected.empty() ? "" : ", ") + std::string(format.whole) + ", " + format.index;
  }
  throw no_input(folder + ": expected one of " + expected + " in this folder");
}

}  // namespace stream
