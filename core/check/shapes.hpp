/// Streams to be, as small numbers: what the property-based generator makes and shrinks. A model of the
/// operator's inputs (model.hpp) turns them into packets.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace stream::laws {

/// One packet to be. Every number shrinks towards 0, and 0 stands for the plainest choice.
struct Mark {
  int port = 0;
  int gap = 0;   ///< 0 to 7: how long after the one before
  int key = 0;   ///< 0: none
  int kind = 0;  ///< 0 to 3: plain to odd content
  int size = 0;  ///< 0 to 99
  int seed = 0;  ///< 0 to 999: of the content
};

struct Shape {
  int variant = 0;  ///< 0 to 99: which rate, picture format, tensor type
  int first = 0;    ///< of recorded packets: where a stretch of them begins, 0 to 999 thousandths
  int count = 0;    ///< how many of them
  std::vector<Mark> marks;
};

struct Extent {
  int ports = 1;
  int keys = 1;      ///< 1: none but the empty one
  int marks = 60;    ///< most packets in a stream
  int recorded = 0;  ///< most recorded packets in a stretch
};

/// The stream of this seed: always the same.
Shape make_shape(std::uint64_t seed, const Extent& extent);

/// The smallest stream below that of the seed that still `fails`, found by descending into the first smaller
/// one that does. Asks until nothing smaller fails or `more` says that it has been long enough.
Shape shrink_shape(std::uint64_t seed, const Extent& extent, const std::function<bool(const Shape&)>& fails,
                   const std::function<bool()>& more);

}  // namespace stream::laws
