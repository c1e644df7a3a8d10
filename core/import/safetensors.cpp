/// The safetensors format: eight bytes of little-endian header length, a JSON header that gives each tensor's
/// dtype, shape and byte range, then the bytes.
#include <algorithm>

#include "import/elements.hpp"
#include "import/import.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

/// The limit of the reference implementation.
constexpr std::uint64_t kLargestHeader = 100'000'000;

using Reading = ElementKind::Reading;

struct SafetensorsKind {
  std::string_view name;
  ElementKind elements;
};
constexpr SafetensorsKind kSafetensorsKinds[] = {
    {"F64", {8, DType::kF64}},
    {"F32", {4, DType::kF32}},
    {"F16", {2, DType::kF16}},
    {"BF16", {2, DType::kBF16}},
    {"I64", {8, DType::kI64}},
    {"I32", {4, DType::kI32}},
    {"U16", {2, DType::kU16}},
    {"U8", {1, DType::kU8}},
    {"BOOL", {1, DType::kU8}},
    {"I16", {2, DType::kI32, Reading::kSigned}},
    {"I8", {1, DType::kI32, Reading::kSigned}},
    {"U32", {4, DType::kI64, Reading::kUnsigned}},
    {"U64", {8, DType::kI64, Reading::kUnsigned}},
};

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(bytes[i]);
  return value;
}

const Value& member(const Object& object, const char* key, const std::string& where) {
  const Value* value = object.find(key);
  if (value == nullptr) throw bad_data(where + " lacks '" + key + "'");
  return *value;
}

Tensor tensor_of(const Object& entry, const Buffer& data, const std::string& where) {
  const std::string& name = member(entry, "dtype", where).as_string();
  const auto* kind = std::find_if(std::begin(kSafetensorsKinds), std::end(kSafetensorsKinds),
                                  [&](const SafetensorsKind& k) { return k.name == name; });
  if (kind == std::end(kSafetensorsKinds)) throw bad_data(where + ": dtype " + name + " is not supported");

  const Array& range = member(entry, "data_offsets", where).as_array();
  if (range.size() != 2) throw bad_data(where + ": data_offsets must be two numbers");
  const std::int64_t begin = range[0].as_integer(), end = range[1].as_integer();
  if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > data.size()) {
    throw bad_data(where + ": data_offsets " + std::to_string(begin) + ".." + std::to_string(end) +
                   " are not inside the " + std::to_string(data.size()) + " bytes of data");
  }
  std::vector<std::int64_t> shape;
  for (const Value& dimension : member(entry, "shape", where).as_array())
    shape.push_back(dimension.as_integer());
  const std::uint64_t elements = count_elements(shape, where);
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements, kind->elements.width, &bytes) ||
      bytes != static_cast<std::uint64_t>(end - begin)) {
    throw bad_data(where + ": shape and dtype need " + std::to_string(elements) + " x " +
                   std::to_string(kind->elements.width) + " bytes, data_offsets hold " +
                   std::to_string(end - begin));
  }
  const Buffer slice = data.slice(static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes));
  return gather(slice, kind->elements, {.shape = std::move(shape), .strides = {}}, where);
}

}  // namespace

std::size_t read_safetensors_into(Archive& archive, const Buffer& file, const std::string& name,
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
  return found;
}

Archive read_safetensors(const Buffer& file, const std::string& name) {
  Archive archive;
  read_safetensors_into(archive, file, name, nullptr);
  return archive;
}

}  // namespace stream
