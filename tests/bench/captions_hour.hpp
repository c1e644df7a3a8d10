#pragma once

#include <vector>

#include "compare.hpp"

namespace stream::bench {

/// Runs the recogniser over 59 minutes, then times it chunk by chunk against a fresh one over the same
/// minute, in turns, so that whatever else the machine does strikes both. Rows: median time of a chunk; bytes
/// of state, equal to the byte.
std::vector<Row> captions_after_an_hour();

}  // namespace stream::bench
