/// The safetensors format: eight bytes of little-endian header length, a JSON header that gives each tensor's
/// dtype, shape and byte range, then the bytes.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "import/import.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

/// The limit of the reference implementation.
constexpr std::uint64_t kLargestHeader = 100'000'000;

struct Kind {
  std::string_view name;
  DType type;
  std::size_t width;  ///< bytes of an element in the file
};
/// Tensors here have no int8, int16, uint32 and uint64: those are widened, and uint64 must fit int64.
/// Booleans keep their byte.
constexpr Kind kKinds[] = {
    {"F64", DType::kF64, 8}, {"F32", DType::kF32, 4}, {"F16", DType::kF16, 2}, {"BF16", DType::kBF16, 2},
    {"I64", DType::kI64, 8}, {"I32", DType::kI32, 4}, {"U16", DType::kU16, 2}, {"U8", DType::kU8, 1},
    {"BOOL", DType::kU8, 1}, {"I16", DType::kI32, 2}, {"I8", DType::kI32, 1},  {"U32", DType::kI64, 4},
    {"U64", DType::kI64, 8},
};

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(bytes[i]);
  return value;
}

/// Elements of kinds that tensors here lack, as those of the kind that holds them.
template <typename T>
Buffer widened(std::span<const std::byte> bytes, const Kind& kind, const std::string& where) {
  std::vector<T> out(bytes.size() / kind.width);
  const auto unused = static_cast<unsigned>(64 - 8 * kind.width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t raw = little_endian(bytes.subspan(i * kind.width, kind.width));
    if (kind.name.front() == 'I') {
      out[i] = static_cast<T>(static_cast<std::int64_t>(raw << unused) >> unused);
    } else if (raw >> 63 != 0) {
      throw bad_data(where + ": element " + std::to_string(i) + ", " + std::to_string(raw) +
                     ", does not fit a signed 64-bit integer");
    } else {
      out[i] = static_cast<T>(raw);
    }
  }
  return Buffer::own(std::move(out));
}

const Value& member(const Object& object, const char* key, const std::string& where) {
  const Value* value = object.find(key);
  if (value == nullptr) throw bad_data(where + " lacks '" + key + "'");
  return *value;
}

Tensor tensor_of(const Object& entry, const Buffer& data, const std::string& where) {
  const std::string& name = member(entry, "dtype", where).as_string();
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == name; });
  if (kind == std::end(kKinds)) throw bad_data(where + ": dtype " + name + " is not supported");

  const Array& range = member(entry, "data_offsets", where).as_array();
  if (range.size() != 2) throw bad_data(where + ": data_offsets must be two numbers");
  const std::int64_t begin = range[0].as_integer(), end = range[1].as_integer();
  if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > data.size()) {
    throw bad_data(where + ": data_offsets " + std::to_string(begin) + ".." + std::to_string(end) +
                   " are not inside the " + std::to_string(data.size()) + " bytes of data");
  }
  std::uint64_t elements = 1;
  std::vector<std::int64_t> shape;
  for (const Value& dimension : member(entry, "shape", where).as_array()) {
    shape.push_back(dimension.as_integer());
    if (shape.back() < 0 ||
        __builtin_mul_overflow(elements, static_cast<std::uint64_t>(shape.back()), &elements)) {
      throw bad_data(where + ": shape is negative or too large");
    }
  }
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements, kind->width, &bytes) ||
      bytes != static_cast<std::uint64_t>(end - begin)) {
    throw bad_data(where + ": shape and dtype need " + std::to_string(elements) + " x " +
                   std::to_string(kind->width) + " bytes, data_offsets hold " + std::to_string(end - begin));
  }
  const Buffer slice = data.slice(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
  if (kind->type == DType::kI32 && kind->width < 4)
    return Tensor(widened<std::int32_t>(slice.bytes(), *kind, where), kind->type, std::move(shape));
  if (kind->type == DType::kI64 && kind->name.front() == 'U')
    return Tensor(widened<std::int64_t>(slice.bytes(), *kind, where), kind->type, std::move(shape));
  // Copied: a slice may start at an address that is not aligned for the element.
  return Tensor(Buffer::copy(slice.bytes()), kind->type, std::move(shape));
}

/// The tensors of one file into `archive`; `wanted` restricts them to some names (all when it is null).
void read_into(Archive& archive, const Buffer& file, const std::string& name,
               const std::set<std::string>* wanted) {
  if (file.size() < 8)
    throw bad_data(name + ": expected 8 bytes of header length at offset 0, found " +
                   std::to_string(file.size()));
  const std::uint64_t length = little_endian(file.bytes().first(8));
  if (length > kLargestHeader || length > file.size() - 8) {
    throw bad_data(name + ": the header length at offset 0, " + std::to_string(length) +
                   ", is more than the file holds (" + std::to_string(file.size() - 8) +
                   ") or than is allowed (" + std::to_string(kLargestHeader) + ")");
  }
  Value header;
  try {
    header = Value::parse(file.text().substr(8, length));
  } catch (const Error& e) {
    throw e.within(name + ": header at offset 8");
  }
  const Buffer data = file.slice(8 + length, file.size() - 8 - length);
  std::size_t found = 0;
  for (const auto& [key, value] : header.as_object()) {
    if (key == "__metadata__") continue;
    if (wanted != nullptr && wanted->count(key) == 0) continue;
    const std::string where = name + ": tensor '" + key + "'";
    try {
      put_tensor(archive, key, tensor_of(value.as_object(), data, where), name);
    } catch (const Error& e) {
      if (std::string_view(e.what()).starts_with(name)) throw;
      throw e.within(where);
    }
    ++found;
  }
  if (wanted != nullptr && found != wanted->size()) {
    throw bad_data(name + ": holds " + std::to_string(found) + " of the " + std::to_string(wanted->size()) +
                   " tensors that the index says it has");
  }
}

Buffer whole(const std::filesystem::path& path) {
  return Buffer::own(read_file(path.string(), std::uint64_t{1} << 40));
}

}  // namespace

Archive read_safetensors(const Buffer& file, const std::string& name) {
  Archive archive;
  read_into(archive, file, name, nullptr);
  return archive;
}

Archive read_safetensors_folder(const std::string& folder) {
  const std::filesystem::path dir(folder);
  const auto index_path = dir / "model.safetensors.index.json";
  if (!std::filesystem::exists(index_path)) {
    const auto single = dir / "model.safetensors";
    if (!std::filesystem::exists(single)) {
      throw no_input(folder + ": expected model.safetensors or model.safetensors.index.json in this folder");
    }
    return read_safetensors(whole(single), single.string());
  }
  Archive archive;
  try {
    const Value index = Value::parse(read_file(index_path.string(), kLargestHeader));
    std::map<std::string, std::set<std::string>> shards;
    for (const auto& [tensor, shard] : member(index.as_object(), "weight_map", "index").as_object()) {
      // A shard is a file of this folder; a path could point anywhere.
      if (shard.as_string().find('/') != std::string::npos)
        throw bad_data("shard '" + shard.as_string() + "' is not a plain file name");
      shards[shard.as_string()].insert(tensor);
    }
    for (const auto& [shard, tensors] : shards)
      read_into(archive, whole(dir / shard), (dir / shard).string(), &tensors);
  } catch (const Error& e) {
    throw e.within(index_path.string());
  }
  return archive;
}

}  // namespace stream
