#include "png.hpp"

#include <new>

#include "stream/error.hpp"

namespace stream {

std::string PngEncoder::encode(const std::shared_ptr<const Frame>& frame) {
  libav::listen();
  const FrameLayout layout = FrameLayout::of(*frame);
  const bool gray = layout.format == PixelFormat::kGray, deep = layout.bits > 8;
  const AVPixelFormat packed =
      gray ? (deep ? AV_PIX_FMT_GRAY16BE : AV_PIX_FMT_GRAY8) : (deep ? AV_PIX_FMT_RGB48BE : AV_PIX_FMT_RGB24);
  const libav::FramePtr from = libav::share(frame);
  if (!codec_ || !(layout == made_for_)) {
    codec_.reset(avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_PNG)));
    if (!codec_) throw failed("FFmpeg's libraries were built without PNG");
    codec_->width = layout.width;
    codec_->height = layout.height;
    codec_->pix_fmt = packed;
    codec_->time_base = {1, 25};
    codec_->sample_aspect_ratio = from->sample_aspect_ratio;
    if (const int error = avcodec_open2(codec_.get(), codec_->codec, nullptr); error < 0)
      throw failed("cannot begin a PNG picture: " + libav::reason(error));
    scaler_ = libav::new_scaler(layout.width, layout.height, static_cast<AVPixelFormat>(from->format),
                                layout.width, layout.height, packed, layout.sampling.siting);
    if (!scaler_) throw bad_data("libswscale cannot convert " + layout.text() + " for PNG");
    const bool full = layout.format == PixelFormat::kRgb || layout.range == ColorRange::kFull ||
                      (gray && layout.range == ColorRange::kUnspecified);
    const AVColorSpace matrix = libav::matrix_of(layout.matrix);
    const int* coefficients = sws_getCoefficients(
        matrix == AVCOL_SPC_UNSPECIFIED || matrix == AVCOL_SPC_RGB ? SWS_CS_ITU601 : matrix);
    sws_setColorspaceDetails(scaler_.get(), coefficients, full, coefficients, 1, 0, 1 << 16, 1 << 16);
    made_for_ = layout;
  }
  const libav::FramePtr picture = libav::new_frame();
  picture->format = packed;
  picture->width = layout.width;
  picture->height = layout.height;
  picture->sample_aspect_ratio = from->sample_aspect_ratio;
  if (av_frame_get_buffer(picture.get(), 0) < 0) throw std::bad_alloc();
  sws_scale(scaler_.get(), from->data, from->linesize, 0, layout.height, picture->data, picture->linesize);
  const libav::PacketPtr packet = libav::new_packet();
  int error = avcodec_send_frame(codec_.get(), picture.get());
  if (error >= 0) error = avcodec_receive_packet(codec_.get(), packet.get());
  if (error < 0) throw failed("cannot encode a PNG picture: " + libav::reason(error));
  return {reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)};
}

}  // namespace stream
