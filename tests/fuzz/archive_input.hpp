/// Bytes as archives, and what may come of reading them.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <vector>

#include "stream/error.hpp"
#include "target.hpp"

namespace stream::fuzz {

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
inline std::vector<std::uint8_t> sealed(Bytes hdf5) {
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

}  // namespace stream::fuzz
