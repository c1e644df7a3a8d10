/// Archives in HDF5, checkpoints, and the files that `stream import` reads.
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
void run_npy(Bytes bytes) {
  expect_success_or_blame([&] { read_npy(buffer_of(bytes), "fuzz.npy"); });
}

}  // namespace stream::fuzz
