/// Archives in HDF5 (checkpoints, models) and the files that `stream import` reads.
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <vector>

#include "asr/model_file.hpp"
#include "engine/checkpoint.hpp"
#include "hdf5/archive_file.hpp"
#include "import/import.hpp"
#include "recipe/recipe.hpp"
#include "stream/error.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

/// The input is at fault, and nothing else may be.
template <typename Read>
void expect_success_or_blame(const Read& read) {
  try {
    read();
  } catch (const Error& e) {
    if (e.code() != ExitCode::kBadData && e.code() != ExitCode::kBadRecipe) throw;
  }
}

/// An archive with a digest that fits: what is malicious, not damaged, gets to HDF5's parser.
std::vector<std::uint8_t> sealed(Bytes hdf5) {
  std::vector<std::uint8_t> out(hdf5.begin(), hdf5.end());
  std::array<std::uint8_t, 64> trailer{};
  std::memcpy(trailer.data(), "STREAMH5", 8);
  trailer[8] = 1;
  const std::uint64_t length = hdf5.size();
  std::memcpy(trailer.data() + 16, &length, sizeof length);
  SHA256(hdf5.data(), hdf5.size(), trailer.data() + 24);
  out.insert(out.end(), trailer.begin(), trailer.end());
  return out;
}

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

void run_model(Bytes bytes) {
  const MemoryFile file(sealed(bytes));
  expect_success_or_blame([&] { asr::load_model(file.path()); });
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
