/// FFmpeg's libraries with ownership in types, and their pictures as ours without a copy.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "stream/frame_layout.hpp"

namespace stream::libav {

inline constexpr AVRational kNanoseconds{1, 1'000'000'000};

struct Free {
  void operator()(AVFrame* f) const { av_frame_free(&f); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
  void operator()(SwsContext* s) const { sws_freeContext(s); }
};
using FramePtr = std::unique_ptr<AVFrame, Free>;
using PacketPtr = std::unique_ptr<AVPacket, Free>;
using CodecPtr = std::unique_ptr<AVCodecContext, Free>;
using ScalerPtr = std::unique_ptr<SwsContext, Free>;

FramePtr new_frame();    ///< throws std::bad_alloc
PacketPtr new_packet();  ///< throws std::bad_alloc

/// The library's words for an error number, and the last thing that it logged on this thread where there is
/// one. What the libraries log goes to our log at debug level, and nowhere else.
std::string reason(int error);
/// That last message alone.
std::string last_message();
/// Forgets what was logged on this thread, and turns their logging to ours the first time.
void listen();

/// The format whose planes are ours; AV_PIX_FMT_NONE when libav has none (gray of 11, 13 or 15 bits, ...).
AVPixelFormat pixel_format_of(const FrameLayout& layout);
/// Format and bits of a libav format whose planes are ours; false for another one.
bool planar(AVPixelFormat format, FrameLayout& into);
/// The one of ours that loses least.
AVPixelFormat nearest_planar(AVPixelFormat format);
AVColorSpace matrix_of(const std::string& name);  ///< unspecified when empty or unknown
AVColorRange range_of(ColorRange range);

/// Aspect, siting and fields, both ways. Siting is unspecified where chroma is not halved.
Sampling sampling_of(const AVFrame& picture);
void set_sampling(const Sampling& sampling, AVFrame& picture);
AVChromaLocation location_of(ChromaSiting siting);

/// A scaler that is bit for bit the same on every processor, with accurate rounding and full chroma. Chroma
/// that is halved lies where `siting` says, before and after; unspecified is swscale's default, the centre.
/// Null when libswscale cannot. `flags`: SWS_* for the kernel.
ScalerPtr new_scaler(int from_width, int from_height, AVPixelFormat from, int to_width, int to_height,
                     AVPixelFormat to, ChromaSiting siting, int flags = SWS_BICUBIC);

/// Our frame as libav's, sharing the memory.
FramePtr share(const std::shared_ptr<const Frame>& frame);
/// libav's picture, whose format must be `planar`, as ours, sharing the memory.
Frame share(const AVFrame& picture);

/// Size, format and range through libswscale: bicubic, with full chroma, accurate rounding, and bit for bit
/// the same on every processor.
class Conversion {
 public:
  /// `to`'s format and size; range and matrix as in `to` where given, else those of the frame. The sampling
  /// is always the frame's, as far as the conversion leaves it: other proportions change the pixels' aspect,
  /// and chroma that is halved anew lies in the centre. `to`'s own sampling is not looked at.
  /// `flags`: SWS_* for the kernel.
  explicit Conversion(FrameLayout to, int flags = SWS_BICUBIC) : to_(std::move(to)), flags_(flags) {}
  /// Throws Error(kBadData) when libswscale cannot.
  Frame convert(const AVFrame& from) { return convert(from, sampling_of(from).fields); }
  Frame convert(const std::shared_ptr<const Frame>& from) {
    return convert(*share(from), from->sampling().fields);
  }

 private:
  Frame convert(const AVFrame& from, FieldOrder fields);

  FrameLayout to_;
  int flags_;
  ScalerPtr scaler_;
  FrameLayout known_from_;  ///< what scaler_ was made for
  AVPixelFormat known_format_ = AV_PIX_FMT_NONE;
  FramePool pool_;
};

}  // namespace stream::libav
