/// The file that superres.play reads.
#include "super_resolution/stream_file.hpp"

#include <zlib.h>

#include "archive_input.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

/// The same with checksums that fit, as far as records can be followed: what is malicious, not damaged, gets
/// past them.
std::vector<std::uint8_t> with_checksums(Bytes bytes) {
  std::vector<std::uint8_t> out(bytes.begin(), bytes.end());
  for (std::size_t at = 8; at + 12 <= out.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, out.data() + at + 4, 4);
    if (length > out.size() - at - 12) break;
    const auto digest = static_cast<std::uint32_t>(::crc32(0, out.data() + at, length + 8));
    std::memcpy(out.data() + at + 8 + length, &digest, 4);
    at += length + 12;
  }
  return out;
}

void follow(Bytes bytes) {
  const MemoryFile file(bytes);
  expect_success_or_blame([&] {
    super_resolution::StreamFile in(file.path());
    in.header();
    // To the end of any file that is no longer than a fuzzer makes them.
    for (std::int64_t frame = 0; frame < 100; ++frame) in.labels(frame);
  });
}

}  // namespace

void run_superres(Bytes bytes) {
  follow(bytes);
  follow(with_checksums(bytes));
}

}  // namespace stream::fuzz
