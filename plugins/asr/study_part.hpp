/// What the parts of this family's studies have in common.
#pragma once

#include <string>

#include "stream/study.hpp"

namespace stream::asr {

/// "look-ahead 480 ms", of encoder frames.
inline std::string lookahead_text(std::int64_t frames) {
  return "look-ahead " + std::to_string(80 * frames) + " ms";
}

}  // namespace stream::asr
