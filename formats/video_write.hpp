/// video.write: frames to a file or pipe.
#pragma once

#include <optional>

#include "stream/delivery.hpp"
#include "stream/log.hpp"
#include "stream/plugin.hpp"
#include "video_encoder.hpp"

namespace stream {

class VideoWrite final : public Sink, public Delivery {
 public:
  static Spec spec() {
    return Spec{"video.write",
                "Write video (YUV4MPEG2, raw frames, all that FFmpeg encodes) to a file or stdout."}
        .input<Frame>("in", "frames of one size and format")
        .path("path", "-", "file to write; - is stdout")
        .param("format", "auto",
               "y4m, raw, or a container by FFmpeg's name (matroska, mp4, ...); auto goes by the ending of "
               "the path, "
               "and is y4m on stdout")
        .param("codec", "", "encoder by FFmpeg's name (libx264, ffv1, ...); empty: the container's usual one")
        .param("options", std::vector<std::string>{},
               "options of the encoder or the container, each as name=value (crf=18)")
        .param("segment", 0,
               "encoders: begin a new one every so many frames, which makes runs resumable; 0: one for all",
               range(0, 100000), unit("frames"))
        .param("aspect", "same",
               "width to height of a pixel, as 16:11; 0:0 is unknown; same: what the frames say")
        .param("siting", "same",
               "where halved chroma lies: in the centre (jpeg), left (mpeg2), upper left (paldv); same: what "
               "the "
               "frames say",
               choices({"same", "jpeg", "mpeg2", "paldv"}))
        .param("interlacing", "same",
               "progressive, top or bottom field first, mixed, unknown; same: what the frames say",
               choices({"same", "p", "t", "b", "m", "?"}))
        .about(
            "YUV4MPEG2 holds the samples bit for bit, 8 to 16 bits, with the colour range as FFmpeg writes "
            "it and the "
            "matrix as XMATRIX, which others pass over; so is the siting of chroma as XSITING, but for 4:2:0 "
            "of "
            "8 bits, where the colour space says it (and says jpeg where nobody knows, as FFmpeg does). Its "
            "frames follow each other at the rate that the "
            "duration of the "
            "first one gives; where their times say otherwise, a warning says so once.\n\n"
            "Encoders get every frame's time, exact for all usual rates and whole milliseconds (a clock of "
            "120 000 "
            "ticks a second, "
            "unless the codec's standard has none so fine; Matroska rounds to milliseconds). Frames are "
            "converted by "
            "libswscale where the encoder does not take their format. MP4 on a pipe is written in "
            "fragments. Encoders run on one thread, so that their output does not depend on how many there "
            "are; "
            "options = [\"threads=0\"] trades that for speed. Interlaced frames are coded in fields where "
            "the codec can, unless options = [\"flags=-ildct-ilme\"] says otherwise.\n\n"
            "Pixel aspect, siting and field order of the first frame stand in the header for all. Later "
            "frames "
            "may say otherwise: a warning tells so once, and the frames are written all the same.\n\n"
            "YUV4MPEG2 and raw frames resume exactly: a checkpoint records the bytes written, and the file "
            "is cut "
            "back to them (a pipe gets them again: see delivery(7)). An encoder's state cannot be written "
            "down, so a "
            "run with one refuses to take checkpoints, unless segment says after how many frames a new "
            "encoder "
            "begins. Then the borders lie where the stream says, whenever checkpoints are taken; a "
            "checkpoint holds "
            "the frames since the newest border, a resumed run encodes those again, and the file is that of "
            "a run that was never stopped, byte for byte. It costs a whole picture and a fresh start of rate "
            "control every so many frames, and memory for as many (50 of 1080p in 4:2:0: 156 MB). The format "
            "must be one "
            "whose streams may follow one another: mpegts keeps every frame's time; h264, hevc, mpeg2video "
            "and such are bare. For MP4 or Matroska, `ffmpeg -i video.ts -c copy video.mkv` afterwards. A "
            "stream without a frame leaves an empty file, which "
            "is no "
            "video.")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
        .example("Compress a stream that never ends, in runs that can be resumed",
                 "[nodes.in]\nuse  = \"video.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse     = \"video.write\"\nfrom    = \"in\"\npath    = \"out.ts\"\ncodec   = "
                 "\"libx264\"\nsegment = 50\n")
        .example("Compress what arrives on stdin",
                 "[nodes.in]\nuse  = \"video.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse     = \"video.write\"\nfrom    = \"in\"\npath    = \"out.mkv\"\ncodec   = "
                 "\"ffv1\"\noptions = [\"level=3\"]\n");
  }

  explicit VideoWrite(const Params& p) : file_(p.get<std::string>("path")) {
    const auto path = p.get<std::string>("path");
    auto format = p.get<std::string>("format");
    const auto codec = p.get<std::string>("codec");
    const auto segment = p.get<std::int64_t>("segment");
    const auto options = p.get<std::vector<std::string>>("options");
    if (format == "auto") format = format_of(path, codec);
    if (format == "y4m" || format == "yuv4mpegpipe" || format == "raw") {
      if (!codec.empty() || !options.empty())
        throw bad_recipe("codec and options are for containers; format is " + format);
      encoder_ = format == "raw" ? make_raw_video_encoder(file_) : make_y4m_encoder(file_);
      follows_fields_ = false;
      one_rate_ = true;
      if (segment > 0) throw bad_recipe("segment is for encoders; " + format + " can be resumed without");
    } else {
      const auto make = [this, path, o = LibavOptions{format, codec, options, segment > 0}] {
        return make_libav_encoder(file_, path, o);
      };
      encoder_ =
          segment > 0 ? make_segmented_encoder(file_, make, static_cast<std::size_t>(segment)) : make();
    }
    headless_ = format == "raw";
    const auto aspect = p.get<std::string>("aspect"), siting = p.get<std::string>("siting"),
               interlacing = p.get<std::string>("interlacing");
    try {
      if (aspect != "same") set_aspect(aspect, said_aspect_.emplace());
    } catch (const Error& e) {
      throw bad_recipe(std::string("aspect: ") + e.what());
    }
    if (siting != "same") said_siting_ = chroma_siting(siting);
    if (interlacing != "same") said_fields_ = field_order(interlacing);
  }

  void process(Packet in, Output&) override {
    if (said_aspect_ || said_siting_ || said_fields_) in = said(std::move(in));
    const auto& frame = in.as<Frame>();
    const FrameLayout layout = FrameLayout::of(frame);
    if (frames_ == 0) begin(layout, in);
    if (!layout.same_format(layout_))
      throw bad_data("frame " + std::to_string(frames_) + " is " + layout.text() + " in a stream of " +
                     layout_.text());
    warn_of(layout.sampling);
    // Half a frame off is where a constant rate stops being true.
    const Time expected = first_ + time_of(frames_, rate_);
    if (!warned_ && 2 * std::abs((in.time - expected).count()) > period_.count() && period_.count() > 0 &&
        one_rate_) {
      log_warning({}, file_.name() + ": frame " + std::to_string(frames_) + " is of " + to_string(in.time) +
                          ", not of " + to_string(expected) +
                          ": this format has one rate for all, so the times of frames are lost");
      warned_ = true;
    }
    encoder_->write(in);
    ++frames_;
    if (file_.interactive()) file_.flush();
  }

  void finish(Output&) override {
    if (frames_ > 0) encoder_->finish();
  }

  void flush() override { file_.flush(); }
  void sync() override { file_.sync(); }
  void save(Archive& state) const override {
    if (!encoder_->resumable()) {
      throw bad_recipe(
          "an encoder's state cannot be written down, so no checkpoint can be taken while writing " +
          file_.name() +
          ": say segment = 50 with format = \"mpegts\", write YUV4MPEG2, or run without --checkpoint");
    }
    state.set("offset", frames_ > 0 ? encoder_->kept() : file_.offset());
    state.set("written", written());
    state.set("frames", frames_);
    if (frames_ == 0) return;
    state.set("first", first_);
    state.set("period", period_);
    state.set("warned", warned_);
    state.set("width", layout_.width);
    state.set("height", layout_.height);
    state.set("format", name_of(layout_.format));
    state.set("bits", layout_.bits);
    state.set("range", static_cast<int>(layout_.range));
    state.set("matrix", layout_.matrix);
    state.set("aspect", aspect_text(layout_.sampling));
    state.set("siting", name_of(layout_.sampling.siting));
    state.set("interlacing", std::string(1, letter_of(layout_.sampling.fields)));
    state.set("warned_of_sampling", warned_of_sampling_);
    encoder_->save(state.group("encoder"));
  }
  void load(const Archive& state) override {
    file_.resume_at(state.get<std::uint64_t>("offset"));
    if (state.has("written")) written_ = state.get<std::uint64_t>("written");
    if (file_.irrevocable()) file_.skip_delivered(written_);
    frames_ = state.get<std::int64_t>("frames");
    if (frames_ == 0) return;
    first_ = state.get<Duration>("first");
    period_ = state.get<Duration>("period");
    rate_ = rate_of(period_.count());
    warned_ = state.get<bool>("warned");
    layout_ = {state.get<int>("width"),
               state.get<int>("height"),
               pixel_format(state.get<std::string>("format")),
               state.get<int>("bits"),
               static_cast<ColorRange>(state.get<int>("range")),
               state.get<std::string>("matrix"),
               {}};
    if (!state.has("aspect")) {  // earlier versions wrote what the parameters said, and no more
      warned_of_sampling_ = true;
      return;
    }
    set_aspect(state.get<std::string>("aspect"), layout_.sampling);
    layout_.sampling.siting = chroma_siting(state.get<std::string>("siting"));
    layout_.sampling.fields = field_order(state.get<std::string>("interlacing"));
    warned_of_sampling_ = state.get<bool>("warned_of_sampling");
    if (state.has("encoder")) encoder_->load(state.group("encoder"), layout_, period_);
  }
  std::optional<std::uint64_t> delivered() const override {
    return file_.irrevocable() ? std::optional(written()) : std::nullopt;
  }
  std::size_t state_bytes() const override { return sizeof *this + encoder_->state_bytes(); }
  void skip_delivered(std::uint64_t bytes) override { file_.skip_delivered(bytes); }
  std::string progress() const override { return "frame " + std::to_string(frames_); }

 private:
  static std::string format_of(const std::string& path, const std::string& codec) {
    for (const char* ending : {".yuv", ".raw", ".rgb"}) {
      if (path.ends_with(ending)) return "raw";
    }
    if (path.ends_with(".y4m") || (path == "-" && codec.empty())) return "y4m";
    return path == "-" ? "matroska" : "";
  }
  /// The same samples, lying as the parameters say, and as the frame does where they say nothing.
  Packet said(Packet in) const {
    const auto& frame = in.as<Frame>();
    Sampling sampling = frame.sampling();
    if (said_aspect_) {
      sampling.aspect_width = said_aspect_->aspect_width;
      sampling.aspect_height = said_aspect_->aspect_height;
    }
    sampling.siting = said_siting_.value_or(sampling.siting);
    sampling.fields = said_fields_.value_or(sampling.fields);
    return in.with<Frame>(frame.width(), frame.height(), frame.format(), frame.depth(),
                          std::vector<Frame::Plane>(frame.planes().begin(), frame.planes().end()),
                          frame.range(), frame.matrix(), frame.bits(), sampling);
  }
  void warn_of(Sampling sampling) {
    if (warned_of_sampling_ || headless_) return;
    const bool fields = layout_.sampling.fields == FieldOrder::kTopFirst ||
                        layout_.sampling.fields == FieldOrder::kBottomFirst;
    if (follows_fields_ && fields) sampling.fields = layout_.sampling.fields;
    if (sampling == layout_.sampling) return;
    const auto text = [](const Sampling& s) {
      return "pixels " + aspect_text(s) + ", chroma " +
             (name_of(s.siting).empty() ? "?" : name_of(s.siting)) + ", interlacing " + letter_of(s.fields);
    };
    log_warning({}, file_.name() + ": frame " + std::to_string(frames_) + " has " + text(sampling) +
                        ", the header says " + text(layout_.sampling) + " for all");
    warned_of_sampling_ = true;
  }
  /// In all, those included that are about to be written again.
  std::uint64_t written() const { return std::max(written_, file_.offset()); }
  void begin(const FrameLayout& layout, const Packet& packet) {
    layout_ = layout;
    first_ = packet.time;
    period_ = packet.duration;
    rate_ = rate_of(period_.count());
    encoder_->begin(layout, period_);
  }

  OutputFile file_;
  std::uint64_t written_ = 0;  ///< by the run that is resumed
  std::unique_ptr<VideoEncoder> encoder_;
  std::optional<Sampling> said_aspect_;
  std::optional<ChromaSiting> said_siting_;
  std::optional<FieldOrder> said_fields_;
  bool headless_ = false, follows_fields_ = true, one_rate_ = false;  ///< what the format is like
  FrameLayout layout_;                                                ///< of the first frame
  Time first_{0};
  Duration period_{0};
  Rational rate_{25, 1};
  bool warned_ = false, warned_of_sampling_ = false;
  std::int64_t frames_ = 0;
};

}  // namespace stream
