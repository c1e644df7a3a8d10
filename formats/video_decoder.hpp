/// What turns the bytes of a video into frames, in the order in which they are shown.
#pragma once

#include <memory>

#include "stream/archive.hpp"
#include "video_input.hpp"
#include "y4m.hpp"

namespace stream {

/// Frames come out in order, and so do errors: a decoder that meets damage first hands over every frame
/// before it, then throws Error(kBadData) that names file and frame or byte.
class VideoDecoder {
 public:
  enum class Status { kFrame, kEnd, kInterrupted };
  virtual ~VideoDecoder() = default;

  /// One frame with its time and duration, for kFrame. After kInterrupted, `save` or `decode` may follow.
  virtual Status decode(Packet& frame) = 0;
  /// The position after the frames handed over. A decoder that `load`s it gives those that would follow.
  virtual void save(Archive& state) const = 0;
  virtual void load(const Archive& state) = 0;
};

/// YUV4MPEG2, read forward only, at its own rate unless `rate.num` is positive. The input must outlive the
/// decoder.
std::unique_ptr<VideoDecoder> make_y4m_decoder(VideoInput& in, Rational rate);
/// Frames of that layout one after the other, without anything between them.
std::unique_ptr<VideoDecoder> make_raw_video_decoder(VideoInput& in, FrameLayout layout, Rational rate);
/// Everything that FFmpeg's libraries know, the best video stream of it. Seeks only in regular files.
/// `rate` replaces the times that the input has; num 0 keeps them.
std::unique_ptr<VideoDecoder> make_libav_decoder(VideoInput& in, Rational rate);

}  // namespace stream
