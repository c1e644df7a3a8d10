/// Archives in HDF5, checkpoints, and the files that `stream import` reads.
#include <zlib.h>

#include <array>
#include <string_view>
#include <vector>

#include "archive_input.hpp"
#include "engine/checkpoint.hpp"
#include "hdf5/archive_file.hpp"
#include "import/import.hpp"
#include "recipe/recipe.hpp"
#include "stream/error.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

Buffer buffer_of(Bytes bytes) {
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return Buffer::own(std::vector<std::byte>(first, first + bytes.size()));
}

/// A zip archive of the bytes as data.pkl and of one storage of sixty-four bytes, "0".
std::vector<std::uint8_t> with_pickle(Bytes pickle) {
  std::vector<std::uint8_t> out, directory;
  const auto number = [](std::vector<std::uint8_t>& to, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  const auto add = [&](std::string_view name, Bytes content) {
    const std::size_t offset = out.size();
    const auto digest = ::crc32(0, content.data(), static_cast<uInt>(content.size()));
    number(directory, 0x02014b50, 4), number(out, 0x04034b50, 4);
    number(directory, 20, 2);
    for (auto* to : {&directory, &out}) {
      number(*to, 20, 4), number(*to, 0, 2), number(*to, 0, 4), number(*to, digest, 4);
      number(*to, content.size(), 4), number(*to, content.size(), 4), number(*to, name.size(), 2),
          number(*to, 0, 2);
    }
    number(directory, 0, 6), number(directory, 0, 4), number(directory, offset, 4);
    for (auto* to : {&directory, &out}) to->insert(to->end(), name.begin(), name.end());
    out.insert(out.end(), content.begin(), content.end());
  };
  static constexpr std::array<std::uint8_t, 64> kStorage{};
  add("m/data.pkl", pickle), add("m/data/0", kStorage);
  const std::size_t start = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  number(out, 0x06054b50, 4), number(out, 0, 4), number(out, 2, 2), number(out, 2, 2);
  number(out, directory.size(), 4), number(out, start, 4), number(out, 0, 2);
  return out;
}

}  // namespace

void run_archive(Bytes bytes) {
  const MemoryFile file(sealed(bytes));
  expect_success_or_blame([&] { read_archive(file.path()); });
}

void run_checkpoint(Bytes bytes) {
  static const Plan* const plan = [] {
    Diagnostics none;
    return new Plan(plan_recipe_text("title = \"nothing\"", Registry(), {}, none));
  }();
  // As it lies on a disk, trailer and all, and with a trailer that fits.
  const MemoryFile raw(bytes), whole(sealed(bytes));
  expect_success_or_blame([&] { read_checkpoint(raw.path(), *plan); });
  expect_success_or_blame([&] { read_checkpoint(whole.path(), *plan); });
}

void run_safetensors(Bytes bytes) {
  expect_success_or_blame([&] { read_safetensors(buffer_of(bytes), "fuzz.safetensors"); });
}
void run_npz(Bytes bytes) {
  expect_success_or_blame([&] { read_npz(buffer_of(bytes), "fuzz.npz"); });
}
/// As it lies on a disk; and the bytes as the pickle of an archive whose checksums fit.
void run_torch(Bytes bytes) {
  expect_success_or_blame([&] { read_torch(buffer_of(bytes), "fuzz.bin"); });
  const auto archive = with_pickle(bytes);
  expect_success_or_blame([&] { read_torch(buffer_of(archive), "fuzz.bin"); });
}
void run_npy(Bytes bytes) {
  expect_success_or_blame([&] { read_npy(buffer_of(bytes), "fuzz.npy"); });
}

}  // namespace stream::fuzz
