#include "libav.hpp"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <array>
#include <mutex>
#include <new>

#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::libav {
namespace {

thread_local std::string last_words;

void take_message(void* source, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  char line[512];
  int prefix = 1;
  av_log_format_line2(source, level, format, arguments, line, sizeof line, &prefix);
  std::string text(line);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (const auto at = text.find(" @ 0x"); at != std::string::npos) {
    if (const auto end = text.find(']', at); end != std::string::npos) text.erase(at, end - at);
  }
  if (text.empty()) return;
  log_debug({}, text);
  if (level <= AV_LOG_ERROR) last_words = std::move(text);
}

struct Format {
  AVPixelFormat libav;
  PixelFormat format;
  int bits;
};
constexpr Format kFormats[] = {
    {AV_PIX_FMT_GRAY8, PixelFormat::kGray, 8},        {AV_PIX_FMT_GRAY9, PixelFormat::kGray, 9},
    {AV_PIX_FMT_GRAY10, PixelFormat::kGray, 10},      {AV_PIX_FMT_GRAY12, PixelFormat::kGray, 12},
    {AV_PIX_FMT_GRAY14, PixelFormat::kGray, 14},      {AV_PIX_FMT_GRAY16, PixelFormat::kGray, 16},
    {AV_PIX_FMT_YUV420P, PixelFormat::kYuv420, 8},    {AV_PIX_FMT_YUV420P9, PixelFormat::kYuv420, 9},
    {AV_PIX_FMT_YUV420P10, PixelFormat::kYuv420, 10}, {AV_PIX_FMT_YUV420P12, PixelFormat::kYuv420, 12},
    {AV_PIX_FMT_YUV420P14, PixelFormat::kYuv420, 14}, {AV_PIX_FMT_YUV420P16, PixelFormat::kYuv420, 16},
    {AV_PIX_FMT_YUV422P, PixelFormat::kYuv422, 8},    {AV_PIX_FMT_YUV422P9, PixelFormat::kYuv422, 9},
    {AV_PIX_FMT_YUV422P10, PixelFormat::kYuv422, 10}, {AV_PIX_FMT_YUV422P12, PixelFormat::kYuv422, 12},
    {AV_PIX_FMT_YUV422P14, PixelFormat::kYuv422, 14}, {AV_PIX_FMT_YUV422P16, PixelFormat::kYuv422, 16},
    {AV_PIX_FMT_YUV444P, PixelFormat::kYuv444, 8},    {AV_PIX_FMT_YUV444P9, PixelFormat::kYuv444, 9},
    {AV_PIX_FMT_YUV444P10, PixelFormat::kYuv444, 10}, {AV_PIX_FMT_YUV444P12, PixelFormat::kYuv444, 12},
    {AV_PIX_FMT_YUV444P14, PixelFormat::kYuv444, 14}, {AV_PIX_FMT_YUV444P16, PixelFormat::kYuv444, 16},
    {AV_PIX_FMT_GBRP, PixelFormat::kRgb, 8},          {AV_PIX_FMT_GBRP9, PixelFormat::kRgb, 9},
    {AV_PIX_FMT_GBRP10, PixelFormat::kRgb, 10},       {AV_PIX_FMT_GBRP12, PixelFormat::kRgb, 12},
    {AV_PIX_FMT_GBRP14, PixelFormat::kRgb, 14},       {AV_PIX_FMT_GBRP16, PixelFormat::kRgb, 16},
};
constexpr Format kFullRange[] = {{AV_PIX_FMT_YUVJ420P, PixelFormat::kYuv420, 8},
                                 {AV_PIX_FMT_YUVJ422P, PixelFormat::kYuv422, 8},
                                 {AV_PIX_FMT_YUVJ444P, PixelFormat::kYuv444, 8}};

/// libav keeps G, B, R where we keep R, G, B.
constexpr std::array<int, 3> kRgbPlanes = {2, 0, 1};
int libav_plane(PixelFormat format, int plane) {
  return format == PixelFormat::kRgb ? kRgbPlanes[static_cast<std::size_t>(plane)] : plane;
}

}  // namespace

FramePtr new_frame() {
  FramePtr frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}
PacketPtr new_packet() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

void listen() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(&take_message); });
  last_words.clear();
}

std::string last_message() { return last_words; }

std::string reason(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return last_words.empty() ? std::string(text) : std::string(text) + " (" + last_words + ")";
}

AVPixelFormat pixel_format_of(const FrameLayout& layout) {
  for (const Format& f : kFormats)
    if (f.format == layout.format && f.bits == layout.bits) return f.libav;
  return AV_PIX_FMT_NONE;
}

bool planar(AVPixelFormat format, FrameLayout& into) {
  const auto found = [&](const Format& f) {
    into.format = f.format;
    into.bits = f.bits;
    return true;
  };
  for (const Format& f : kFormats)
    if (f.libav == format) return found(f);
  for (const Format& f : kFullRange)
    if (f.libav == format) return found(f);
  return false;
}

AVPixelFormat nearest_planar(AVPixelFormat format) {
  std::array<AVPixelFormat, std::size(kFormats) + 1> list{};
  for (std::size_t i = 0; i < std::size(kFormats); ++i) list[i] = kFormats[i].libav;
  list.back() = AV_PIX_FMT_NONE;
  return avcodec_find_best_pix_fmt_of_list(list.data(), format, 0, nullptr);
}

AVColorSpace matrix_of(const std::string& name) {
  const int found = name.empty() ? -1 : av_color_space_from_name(name.c_str());
  return found < 0 ? AVCOL_SPC_UNSPECIFIED : static_cast<AVColorSpace>(found);
}

AVColorRange range_of(ColorRange range) {
  return range == ColorRange::kFull      ? AVCOL_RANGE_JPEG
         : range == ColorRange::kLimited ? AVCOL_RANGE_MPEG
                                         : AVCOL_RANGE_UNSPECIFIED;
}

namespace {

bool halves_chroma(const AVFrame& picture) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  return d != nullptr && d->log2_chroma_w == 1 && (d->flags & AV_PIX_FMT_FLAG_RGB) == 0;
}
bool halves_chroma(const FrameLayout& layout) {
  return layout.format == PixelFormat::kYuv420 || layout.format == PixelFormat::kYuv422;
}

/// What is left of `from`'s sampling in a picture of `to`'s size and format.
Sampling sampling_after(const AVFrame& from, const FrameLayout& to) {
  Sampling out = sampling_of(from);
  if (!halves_chroma(to))
    out.siting = ChromaSiting::kUnspecified;
  else if (!halves_chroma(from))
    out.siting = ChromaSiting::kCentre;
  const std::int64_t wide = std::int64_t{from.width} * to.height, high = std::int64_t{from.height} * to.width;
  if (wide == high || out.aspect_width == 0) return out;
  // The picture keeps its shape on the screen.
  const AVRational scaled = av_mul_q({out.aspect_width, out.aspect_height},
                                     av_mul_q({from.width, to.width}, {to.height, from.height}));
  out.aspect_width = scaled.num > 0 && scaled.den > 0 ? scaled.num : 0;
  out.aspect_height = out.aspect_width > 0 ? scaled.den : 0;
  return out;
}

}  // namespace

AVChromaLocation location_of(ChromaSiting siting) {
  switch (siting) {
    case ChromaSiting::kLeft:
      return AVCHROMA_LOC_LEFT;
    case ChromaSiting::kCentre:
      return AVCHROMA_LOC_CENTER;
    case ChromaSiting::kTopLeft:
      return AVCHROMA_LOC_TOPLEFT;
    case ChromaSiting::kUnspecified:
      break;
  }
  return AVCHROMA_LOC_UNSPECIFIED;
}

Sampling sampling_of(const AVFrame& picture) {
  Sampling out;
  if (picture.sample_aspect_ratio.num > 0 && picture.sample_aspect_ratio.den > 0) {
    out.aspect_width = picture.sample_aspect_ratio.num;
    out.aspect_height = picture.sample_aspect_ratio.den;
  }
  if (halves_chroma(picture)) {
    for (const auto siting : {ChromaSiting::kLeft, ChromaSiting::kCentre, ChromaSiting::kTopLeft})
      if (picture.chroma_location == location_of(siting)) out.siting = siting;
  }
  out.fields = picture.interlaced_frame == 0  ? FieldOrder::kProgressive
               : picture.top_field_first != 0 ? FieldOrder::kTopFirst
                                              : FieldOrder::kBottomFirst;
  return out;
}

void set_sampling(const Sampling& sampling, AVFrame& picture) {
  picture.sample_aspect_ratio = {sampling.aspect_width, std::max(1, sampling.aspect_height)};
  picture.chroma_location = location_of(sampling.siting);
  const bool top = sampling.fields == FieldOrder::kTopFirst;
  picture.interlaced_frame = top || sampling.fields == FieldOrder::kBottomFirst ? 1 : 0;
  picture.top_field_first = top ? 1 : 0;
}

ScalerPtr new_scaler(int from_width, int from_height, AVPixelFormat from, int to_width, int to_height,
                     AVPixelFormat to, ChromaSiting siting, int flags) {
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) throw std::bad_alloc();
  const auto set = [&](const char* name, int value) { av_opt_set_int(scaler.get(), name, value, 0); };
  set("srcw", from_width);
  set("srch", from_height);
  set("src_format", from);
  set("dstw", to_width);
  set("dsth", to_height);
  set("dst_format", to);
  set("sws_flags", flags | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP);
  if (siting != ChromaSiting::kUnspecified) {
    // In 256ths of the distance between samples of luma.
    const int across = siting == ChromaSiting::kCentre ? 128 : 0,
              down = siting == ChromaSiting::kTopLeft ? 0 : 128;
    const auto place = [&](AVPixelFormat format, const char* h, const char* v) {
      const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(format);
      if (d->log2_chroma_w == 1) set(h, across);
      if (d->log2_chroma_h == 1) set(v, down);
    };
    place(from, "src_h_chr_pos", "src_v_chr_pos");
    place(to, "dst_h_chr_pos", "dst_v_chr_pos");
  }
  if (sws_init_context(scaler.get(), nullptr, nullptr) < 0) scaler.reset();
  return scaler;
}

FramePtr share(const std::shared_ptr<const Frame>& frame) {
  const FrameLayout layout = FrameLayout::of(*frame);
  FramePtr out = new_frame();
  out->width = layout.width;
  out->height = layout.height;
  out->format = pixel_format_of(layout);
  if (out->format == AV_PIX_FMT_NONE)
    throw bad_data("frames of " + layout.text() + " cannot be converted or encoded");
  out->color_range = layout.format == PixelFormat::kRgb ? AVCOL_RANGE_JPEG : range_of(layout.range);
  out->colorspace = layout.format == PixelFormat::kRgb ? AVCOL_SPC_RGB : matrix_of(layout.matrix);
  set_sampling(layout.sampling, *out);
  for (int i = 0; i < layout.planes(); ++i) {
    const Frame::Plane& plane = frame->planes()[static_cast<std::size_t>(i)];
    const int at = libav_plane(layout.format, i);
    out->data[at] = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(plane.data.data()));
    out->linesize[at] = static_cast<int>(plane.stride);
  }
  auto* owner = new std::shared_ptr<const Frame>(frame);
  out->buf[0] = av_buffer_create(
      out->data[0], 1,
      [](void* held, std::uint8_t*) { delete static_cast<std::shared_ptr<const Frame>*>(held); }, owner,
      AV_BUFFER_FLAG_READONLY);
  if (out->buf[0] == nullptr) {
    delete owner;
    throw std::bad_alloc();
  }
  return out;
}

Frame share(const AVFrame& picture) {
  FrameLayout layout;
  planar(static_cast<AVPixelFormat>(picture.format), layout);
  layout.width = picture.width;
  layout.height = picture.height;
  layout.range = picture.color_range == AVCOL_RANGE_JPEG   ? ColorRange::kFull
                 : picture.color_range == AVCOL_RANGE_MPEG ? ColorRange::kLimited
                                                           : ColorRange::kUnspecified;
  for (const Format& f : kFullRange)
    if (f.libav == picture.format) layout.range = ColorRange::kFull;
  if (picture.colorspace != AVCOL_SPC_UNSPECIFIED && layout.format != PixelFormat::kRgb &&
      layout.format != PixelFormat::kGray) {
    if (const char* name = av_color_space_name(picture.colorspace)) layout.matrix = name;
  }
  if (layout.format == PixelFormat::kRgb) layout.range = ColorRange::kFull;
  layout.sampling = sampling_of(picture);
  layout.check();
  const std::shared_ptr<AVFrame> owner(av_frame_clone(&picture), Free{});
  if (!owner) throw std::bad_alloc();
  std::vector<Frame::Plane> planes;
  planes.reserve(3);
  for (int i = 0; i < layout.planes(); ++i) {
    const int at = libav_plane(layout.format, i);
    const auto* data = reinterpret_cast<const std::byte*>(owner->data[at]);
    const int h = layout.plane_height(i);
    const std::size_t row = static_cast<std::size_t>(layout.plane_width(i)) * size_of(layout.depth());
    if (owner->linesize[at] < static_cast<int>(row)) throw bad_data("a picture that is stored upside down");
    const auto stride = static_cast<std::size_t>(owner->linesize[at]);
    planes.push_back({Buffer(owner, data, stride * static_cast<std::size_t>(h - 1) + row),
                      layout.plane_width(i), h, stride});
  }
  return Frame(layout.width, layout.height, layout.format, layout.depth(), std::move(planes), layout.range,
               layout.matrix, layout.bits, layout.sampling);
}

Frame Conversion::convert(const AVFrame& from, FieldOrder fields) {
  FrameLayout layout = to_;
  if (layout.width == 0) layout.width = from.width;
  if (layout.height == 0) layout.height = from.height;
  const bool from_rgb =
      (av_pix_fmt_desc_get(static_cast<AVPixelFormat>(from.format))->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  bool from_full = from_rgb || from.color_range == AVCOL_RANGE_JPEG;
  for (const Format& f : kFullRange) from_full = from_full || f.libav == from.format;
  const bool to_rgb = layout.format == PixelFormat::kRgb;
  if (to_rgb) {
    layout.range = ColorRange::kFull;
    layout.matrix.clear();
  } else {
    if (layout.range == ColorRange::kUnspecified)
      layout.range = from_rgb                                      ? ColorRange::kLimited
                     : from_full                                   ? ColorRange::kFull
                     : from.color_range == AVCOL_RANGE_UNSPECIFIED ? ColorRange::kUnspecified
                                                                   : ColorRange::kLimited;
    if (layout.matrix.empty() && !from_rgb && from.colorspace != AVCOL_SPC_UNSPECIFIED)
      layout.matrix = av_color_space_name(from.colorspace);
  }
  layout.check();
  layout.sampling = sampling_after(from, layout);
  layout.sampling.fields = fields;  // libav's frames cannot say that nobody knows
  FrameLayout source;
  source.width = from.width;
  source.height = from.height;
  source.range = from_full ? ColorRange::kFull : ColorRange::kLimited;
  source.matrix = std::to_string(from.colorspace);
  const Sampling given = sampling_of(from);
  source.sampling.siting = given.siting;
  if (!scaler_ || !(source == known_from_) || known_format_ != from.format) {
    scaler_ = new_scaler(from.width, from.height, static_cast<AVPixelFormat>(from.format), layout.width,
                         layout.height, pixel_format_of(layout), given.siting, flags_);
    if (!scaler_) throw bad_data("libswscale cannot convert to " + layout.text());
    // An unnamed matrix is that of standard definition, as everywhere in FFmpeg.
    const auto coefficients = [](AVColorSpace space) {
      return sws_getCoefficients(space == AVCOL_SPC_UNSPECIFIED || space == AVCOL_SPC_RGB ? SWS_CS_ITU601
                                                                                          : space);
    };
    const AVColorSpace target = to_rgb ? from.colorspace : matrix_of(layout.matrix);
    sws_setColorspaceDetails(scaler_.get(), coefficients(from_rgb ? target : from.colorspace), from_full,
                             coefficients(target), layout.range == ColorRange::kFull, 0, 1 << 16, 1 << 16);
    known_from_ = source;
    known_format_ = static_cast<AVPixelFormat>(from.format);
  }
  const std::shared_ptr<std::byte> memory = pool_.take(layout.bytes());
  std::uint8_t* data[4] = {};
  int strides[4] = {};
  std::byte* at = memory.get();
  for (int i = 0; i < layout.planes(); ++i) {
    const int plane = libav_plane(layout.format, i);
    data[plane] = reinterpret_cast<std::uint8_t*>(at);
    strides[plane] = layout.plane_width(i) * static_cast<int>(size_of(layout.depth()));
    at += layout.plane_bytes(i);
  }
  const int rows = sws_scale(scaler_.get(), from.data, from.linesize, 0, from.height, data, strides);
  if (rows != layout.height) throw bad_data("libswscale failed to convert to " + layout.text());
  return layout.frame(Buffer(memory, memory.get(), layout.bytes()));
}

}  // namespace stream::libav
