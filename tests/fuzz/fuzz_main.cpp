/// A libFuzzer program for the target STREAM_FUZZ_TARGET.
#include <cstring>

#include "readers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& target : stream::fuzz::kTargets) {
    if (std::strcmp(target.name, STREAM_FUZZ_TARGET) == 0) target.run(data, size);
  }
  return 0;
}
