#pragma once

#include <string>

namespace stream::testing {

/// The program that was built.
inline const std::string kStream = STREAM_BINARY_DIR "/bin/stream";

}  // namespace stream::testing
