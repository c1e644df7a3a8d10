/// video.read: frames from a file or pipe.
#pragma once

#include "stream/plugin.hpp"
#include "video_decoder.hpp"

namespace stream {

class VideoRead final : public Source {
 public:
  static Spec spec() {
    return Spec{"video.read",
                "Read video (YUV4MPEG2, raw frames, all that FFmpeg decodes) from a file or stdin."}
        .output<Frame>("out", "one packet for each frame, all of one size and format")
        .path("path", "-", "file to read; - is stdin")
        .param("format", "auto", "auto goes by the first bytes; raw must be said",
               choices({"auto", "y4m", "raw", "libav"}))
        .param("rate", "",
               "frames per second, as 25 or 30000/1001: counts frames instead of trusting the input's times; "
               "empty: "
               "those")
        .param("raw_width", 0, "width of raw frames", range(0, FrameLayout::kMostSide), unit("pixels"))
        .param("raw_height", 0, "height of raw frames", range(0, FrameLayout::kMostSide), unit("pixels"))
        .param("raw_format", "yuv420p", "planes of raw frames, one after the other",
               choices({"gray", "yuv420p", "yuv422p", "yuv444p", "rgb"}))
        .param("raw_bits", 8, "of a sample of raw frames; more than 8 take two bytes, the lower one first",
               range(8, 16))
        .about(
            "YUV4MPEG2 and raw frames are read forward only, straight into the memory that packets carry: a "
            "file and "
            "a pipe of the same bytes give the same packets, of 8 to 16 bits and of any size, odd ones too. "
            "Every "
            "other container goes through FFmpeg's libraries; its best video stream is decoded in the order "
            "of "
            "display, with the container's times, counted from the first frame, to the nanosecond. What is "
            "not planar there (nv12, packed RGB, palettes) becomes the planar format that loses least. "
            "Colour range, matrix, pixel aspect, chroma siting and field order go with every frame. The last "
            "three say "
            "how to show a picture and not what it is: they may change within a stream, as they do in "
            "broadcasts "
            "and in H.264 that codes frame by frame or field by field as the picture asks. Parameters of a "
            "YUV4MPEG2 frame's own line are read over.\n\n"
            "Damage ends the run with exit code 65 and a message that names file and frame or byte, after "
            "every frame "
            "before it was delivered: a cut file, a frame that cannot be decoded, one without a timestamp "
            "(but in MPEG's "
            "programme and transport streams, which stamp some alone) or with one "
            "that goes back, a size or format that changes in the middle. A container whose index lies at "
            "its end (MP4 as most "
            "programs write it) can be read from a file, but not from a pipe.\n\n"
            "A checkpoint records the offset of the next frame (YUV4MPEG2, raw), or how many were delivered: "
            "a "
            "codec's state cannot be written down, so those are decoded again.")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
        .example("Decode anything to YUV4MPEG2",
                 "[nodes.in]\nuse  = \"video.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"video.write\"\nfrom = \"in\"\npath = \"-\"\n")
        .example("Frames counted at 30 a second, whatever the header says",
                 "[nodes.camera]\nuse  = \"video.read\"\npath = \"-\"\nrate = \"30\"\n\n"
                 "[nodes.out]\nuse  = \"video.write\"\nfrom = \"camera\"\npath = \"recording.y4m\"\n");
  }

  explicit VideoRead(const Params& p)
      : in_(p.input_path("path")),
        format_(p.get<std::string>("format")),
        raw_{p.get<int>("raw_width"), p.get<int>("raw_height"),
             pixel_format(p.get<std::string>("raw_format")), p.get<int>("raw_bits")} {
    try {
      if (const auto rate = p.get<std::string>("rate"); !rate.empty()) rate_ = rational(rate);
    } catch (const Error& e) {
      throw bad_recipe(std::string("rate: ") + e.what());
    }
    if (format_ != "raw") return;
    if (raw_.width == 0 || raw_.height == 0 || rate_.num == 0)
      throw bad_recipe("raw frames say nothing about themselves: raw_width, raw_height and rate are needed");
  }

  bool read(Output& out) override {
    if (ended_) return false;
    auto status = VideoDecoder::Status::kEnd;
    Packet frame;
    try {
      if (!decoder_ && open() == InputFile::Status::kInterrupted) return true;
      status = decoder_->decode(frame);
      if (status == VideoDecoder::Status::kFrame) check(frame);
    } catch (const Error&) {
      ended_ = true;
      throw;
    }
    if (status == VideoDecoder::Status::kEnd) {
      ended_ = true;
      return false;
    }
    if (status == VideoDecoder::Status::kFrame) {
      ++frames_;
      out.emit(std::move(frame));
    }
    return true;
  }

  void interrupt() override { in_.interrupt(); }
  double fraction() const override { return in_.fraction(); }
  std::string progress() const override { return "frame " + std::to_string(frames_); }

  void save(Archive& state) const override {
    state.set("ended", ended_);
    state.set("begun", decoder_ != nullptr && !ended_);
    state.set("frames", frames_);
    if (!decoder_ || ended_) return;
    state.set("format", format_);
    decoder_->save(state.group("decoder"));
  }
  void load(const Archive& state) override {
    ended_ = state.get<bool>("ended");
    frames_ = state.get<std::int64_t>("frames");
    if (!state.get<bool>("begun")) return;
    format_ = state.get<std::string>("format");
    make_decoder();
    decoder_->load(state.group("decoder"));
  }

 private:
  InputFile::Status open() {
    if (format_ == "auto") {
      const auto status = in_.peek(Y4mHeader::kMagic.size());
      if (status == InputFile::Status::kInterrupted) return status;
      if (in_.first().empty()) throw bad_data(in_.name() + " is empty: expected video");
      format_ = in_.first() == Y4mHeader::kMagic ? "y4m" : "libav";
    }
    make_decoder();
    return InputFile::Status::kData;
  }
  void make_decoder() {
    decoder_ = format_ == "y4m"   ? make_y4m_decoder(in_, rate_)
               : format_ == "raw" ? make_raw_video_decoder(in_, raw_, rate_)
                                  : make_libav_decoder(in_, rate_);
  }
  /// One stream has one layout.
  void check(const Packet& packet) {
    const auto& frame = packet.as<Frame>();
    if (frames_ > 0 && known_ && !known_->same_format(FrameLayout::of(frame)))
      throw bad_data(in_.name() + ": frame " + std::to_string(frames_) + " is " +
                     FrameLayout::of(frame).text() + ", those before it are " + known_->text() +
                     ": size and format of a stream cannot change");
    if (!known_) known_ = FrameLayout::of(frame);
  }

  VideoInput in_;
  std::string format_;
  FrameLayout raw_;
  Rational rate_{0, 1};
  std::unique_ptr<VideoDecoder> decoder_;
  std::optional<FrameLayout> known_;
  bool ended_ = false;
  std::int64_t frames_ = 0;
};

}  // namespace stream
