/// What turns frames into the bytes of a video.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stream/archive.hpp"
#include "stream/file.hpp"
#include "y4m.hpp"

namespace stream {

/// begin, write any number of times, finish. Throws what OutputFile throws, and Error(kBadData) for frames
/// that the format cannot hold.
class VideoEncoder {
 public:
  virtual ~VideoEncoder() = default;
  /// All frames will be of `layout`'s format, and its sampling is that of the first; `period` is the duration
  /// of the first one.
  virtual void begin(const FrameLayout& layout, Duration period) = 0;
  virtual void write(const Packet& frame) = 0;
  virtual void finish() = 0;
  /// False when what comes next depends on more than the bytes written so far.
  virtual bool resumable() const { return true; }
};

std::unique_ptr<VideoEncoder> make_y4m_encoder(OutputFile& out);
/// Planes one after the other, without anything between frames.
std::unique_ptr<VideoEncoder> make_raw_video_encoder(OutputFile& out);

struct LibavOptions {
  std::string format;                ///< libavformat's name; empty: by the name of the file
  std::string codec;                 ///< an encoder's name; empty: the format's own choice
  std::vector<std::string> options;  ///< "name=value", of the encoder or the format
};
/// Throws Error(kBadRecipe) for unknown names, with the nearest one.
std::unique_ptr<VideoEncoder> make_libav_encoder(OutputFile& out, const std::string& path,
                                                 LibavOptions options);

}  // namespace stream
