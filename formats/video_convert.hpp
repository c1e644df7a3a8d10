/// video.convert: pixel format, depth, range and size of frames, through libswscale.
#pragma once

#include <optional>

#include "libav.hpp"
#include "stream/error.hpp"
#include "stream/plugin.hpp"

namespace stream {

class VideoConvert final : public Operator {
 public:
  static Spec spec() {
    return Spec{"video.convert", "Convert frames to another pixel format, depth, colour range or size."}
        .input<Frame>("in")
        .output<Frame>("out", "a frame that is so already passes as it is")
        .param("format", "same", "planes to deliver",
               choices({"same", "gray", "yuv420p", "yuv422p", "yuv444p", "rgb"}))
        .param("bits", 0, "of a sample; 0: as many as before", range(0, 16))
        .param("width", 0, "pixels; 0: as before, or in proportion to a given height",
               range(0, FrameLayout::kMostSide))
        .param("height", 0, "pixels; 0: as before, or in proportion to a given width",
               range(0, FrameLayout::kMostSide))
        .param("kernel", "bicubic", "what resizes",
               choices({"bicubic", "bilinear", "lanczos", "area", "point"}))
        .param("color_range", "same", "of YUV and gray samples", choices({"same", "limited", "full"}))
        .param("matrix", "",
               "of YUV samples, by FFmpeg's name (bt709, smpte170m, bt2020nc); empty: that of the frame, and "
               "FFmpeg's "
               "default where it names none")
        .about(
            "Everything is libswscale's arithmetic, with accurate rounding and bit for bit the same on every "
            "processor. Its bicubic kernel does not widen when it shrinks a picture the way MATLAB's "
            "imresize does: "
            "superres.shrink follows that one.\n\n"
            "Where other proportions would change a picture's shape on the screen, the pixels' aspect makes "
            "up for it. "
            "Halved chroma is taken to lie where the frame says (in the centre where it says nothing), and "
            "stays "
            "there; chroma that is halved here lies in the centre. The two fields of an interlaced frame are "
            "converted as one picture: change heights before interlacing, or after undoing it.")
        .contract({.order = Order::kStateless, .cost = Cost::kHeavy})
        .example(
            "Half the size, as RGB and back",
            "[nodes.in]\nuse  = \"video.read\"\npath = \"-\"\n\n"
            "[nodes.small]\nuse    = \"video.convert\"\nfrom   = \"in\"\nwidth  = 32\nformat = \"rgb\"\n\n"
            "[nodes.back]\nuse    = \"video.convert\"\nfrom   = \"small\"\nformat = \"yuv444p\"\n\n"
            "[nodes.out]\nuse  = \"video.write\"\nfrom = \"back\"\npath = \"-\"\n");
  }

  explicit VideoConvert(const Params& p)
      : format_(p.get<std::string>("format")),
        bits_(p.get<int>("bits")),
        width_(p.get<int>("width")),
        height_(p.get<int>("height")),
        range_(p.get<std::string>("color_range")),
        matrix_(p.get<std::string>("matrix")) {
    if (bits_ > 0 && bits_ < 8) throw bad_recipe("bits = " + std::to_string(bits_) + ": expected 8 to 16");
    if (!matrix_.empty() && libav::matrix_of(matrix_) == AVCOL_SPC_UNSPECIFIED)
      throw bad_recipe("matrix = \"" + matrix_ + "\" is no matrix of FFmpeg's");
    const auto kernel = p.get<std::string>("kernel");
    flags_ = kernel == "bilinear"  ? SWS_BILINEAR
             : kernel == "lanczos" ? SWS_LANCZOS
             : kernel == "area"    ? SWS_AREA
             : kernel == "point"   ? SWS_POINT
                                   : SWS_BICUBIC;
  }

  void process(Packet in, Output& out) override {
    const FrameLayout from = FrameLayout::of(in.as<Frame>());
    const FrameLayout to = target(from);
    if (to == from) {
      out.emit(std::move(in));
      return;
    }
    if (!conversion_ || !to.same_format(made_for_)) {
      conversion_.emplace(to, flags_);
      made_for_ = to;
    }
    out.emit(in.with<Frame>(conversion_->convert(std::static_pointer_cast<const Frame>(in.payload))));
  }

 private:
  FrameLayout target(const FrameLayout& from) const {
    FrameLayout to = from;
    if (format_ != "same") to.format = pixel_format(format_);
    if (bits_ > 0) to.bits = bits_;
    const auto scaled = [](int side, int by, int of) {
      return static_cast<int>(std::max<std::int64_t>(1, (std::int64_t{side} * by + of / 2) / of));
    };
    if (width_ > 0) to.width = width_;
    if (height_ > 0) to.height = height_;
    if (width_ == 0 && height_ > 0) to.width = scaled(from.width, height_, from.height);
    if (height_ == 0 && width_ > 0) to.height = scaled(from.height, width_, from.width);
    const bool rgb = to.format == PixelFormat::kRgb;
    if (from.format == PixelFormat::kRgb && !rgb) to.range = ColorRange::kUnspecified;
    if (range_ != "same") to.range = range_ == "full" ? ColorRange::kFull : ColorRange::kLimited;
    if (!matrix_.empty()) to.matrix = matrix_;
    if (rgb) {
      to.range = ColorRange::kFull;
      to.matrix.clear();
    }
    return to;
  }

  std::string format_;
  int bits_, width_, height_, flags_ = SWS_BICUBIC;
  std::string range_, matrix_;
  std::optional<libav::Conversion> conversion_;
  FrameLayout made_for_;
};

}  // namespace stream
