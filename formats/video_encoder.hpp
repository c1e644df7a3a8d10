/// What turns frames into the bytes of a video.
#pragma once

#include <functional>
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
  /// False when what comes next depends on more than can be saved.
  virtual bool resumable() const { return true; }

  // Where `resumable`, and once begun:
  /// How many of the bytes written a resumed run keeps; it writes the others again.
  virtual std::uint64_t kept() const = 0;
  /// What comes next beside them.
  virtual void save(Archive&) const {}
  /// In place of `begin`, the file being cut to those bytes. Throws Error(kBadData) for damaged state.
  virtual void load(const Archive&, const FrameLayout&, Duration) {}
  /// Bytes of frames held.
  virtual std::size_t state_bytes() const { return 0; }
};

std::unique_ptr<VideoEncoder> make_y4m_encoder(OutputFile& out);
/// Planes one after the other, without anything between frames.
std::unique_ptr<VideoEncoder> make_raw_video_encoder(OutputFile& out);

struct LibavOptions {
  std::string format;                ///< libavformat's name; empty: by the name of the file
  std::string codec;                 ///< an encoder's name; empty: the format's own choice
  std::vector<std::string> options;  ///< "name=value", of the encoder or the format
  bool joined = false;               ///< what it writes will be followed by more of the kind
};
/// Throws Error(kBadRecipe) for unknown names, with the nearest one.
std::unique_ptr<VideoEncoder> make_libav_encoder(OutputFile& out, const std::string& path,
                                                 LibavOptions options);

using MakeEncoder = std::function<std::unique_ptr<VideoEncoder>()>;
/// A new encoder for every `frames` frames, at least one, of a format whose streams may be joined.
std::unique_ptr<VideoEncoder> make_segmented_encoder(OutputFile& out, MakeEncoder make, std::size_t frames);

}  // namespace stream
