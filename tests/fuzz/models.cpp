/// Model files of the families that use libtorch.
#include "archive_input.hpp"
#include "asr/model_file.hpp"

namespace stream::fuzz {

void run_model(Bytes bytes) {
  const MemoryFile file(sealed(bytes));
  expect_success_or_blame([&] { asr::load_model(file.path()); });
}

}  // namespace stream::fuzz
