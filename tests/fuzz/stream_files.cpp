/// The file that superres.play reads.
#include "super_resolution/stream_file.hpp"

#include "archive_input.hpp"
#include "target.hpp"

namespace stream::fuzz {

void run_superres(Bytes bytes) {
  const MemoryFile file(bytes);
  expect_success_or_blame([&] {
    super_resolution::StreamFile in(file.path());
    in.header();
    // To the end of any file that is no longer than a fuzzer makes them.
    for (std::int64_t frame = 0; frame < 100; ++frame) in.labels(frame);
  });
}

}  // namespace stream::fuzz
