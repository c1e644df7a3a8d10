/// A libFuzzer program for the target STREAM_FUZZ_TARGET.
#include <cstring>

#include "stream/log.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // What is wrong with some bytes is for people; a fuzzer reads too many to print it.
  stream::set_log_sink([](stream::LogLevel, std::string_view, std::string_view) {}, stream::LogLevel::kError);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& target : stream::fuzz::kTargets) {
    if (std::strcmp(target.name, STREAM_FUZZ_TARGET) == 0) target.run({data, size});
  }
  return 0;
}
