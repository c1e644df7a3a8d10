/// A clip through x264: the bytes that a sender pays for, and the pictures that a viewer has of them.
#pragma once

#include <vector>

#include "super_resolution/resample.hpp"

namespace stream::super_resolution {

struct CodedClip {
  double crf = 0;
  std::size_t bytes = 0;  ///< of the H.264 stream, without a container
  std::vector<Pixels> frames;
};

/// At that quality (0 to 51, lower is better), preset medium, 4:4:4 (so that what differs is the coding and
/// not the chroma), `rate` frames a second. Throws Error(kFailed) when these FFmpeg libraries lack libx264.
CodedClip through_x264(const std::vector<Pixels>& frames, double crf, int rate = 30);
/// Of the largest stream of at most `bytes`, to an eighth of a CRF; of CRF 51 when none is so small.
CodedClip at_most(const std::vector<Pixels>& frames, std::size_t bytes, int rate = 30);

}  // namespace stream::super_resolution
