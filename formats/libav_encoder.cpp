/// Any container and codec, through libavformat and libavcodec.
#include <algorithm>
#include <optional>

#include "libav.hpp"
#include "stream/error.hpp"
#include "video_encoder.hpp"

namespace stream {
namespace {

constexpr int kWriteBuffer = 1 << 16;
/// Every usual frame rate, those over 1001 and whole milliseconds are whole numbers of it.
constexpr AVRational kTicks = {1, 120'000};

std::vector<std::string> encoder_names() {
  std::vector<std::string> names;
  void* state = nullptr;
  while (const AVCodec* codec = av_codec_iterate(&state)) {
    if (av_codec_is_encoder(codec) != 0 && codec->type == AVMEDIA_TYPE_VIDEO) names.emplace_back(codec->name);
  }
  return names;
}
std::vector<std::string> format_names() {
  std::vector<std::string> names;
  void* state = nullptr;
  while (const AVOutputFormat* format = av_muxer_iterate(&state)) names.emplace_back(format->name);
  return names;
}

/// A decoder that has read one stream of these reads the next one behind it.
constexpr const char* kJoinable[] = {"mpegts", "h264", "hevc", "mpeg1video", "mpeg2video", "m4v", "mjpeg"};
bool may_be_joined(std::string_view format) {
  return std::find(std::begin(kJoinable), std::end(kJoinable), format) != std::end(kJoinable);
}
std::string join_names() {
  std::string out;
  for (const char* name : kJoinable) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

class LibavEncoder final : public VideoEncoder {
 public:
  LibavEncoder(OutputFile& out, const std::string& path, LibavOptions options)
      : out_(out), options_(std::move(options)) {
    libav::listen();
    const AVOutputFormat* format =
        av_guess_format(options_.format.empty() ? nullptr : options_.format.c_str(),
                        options_.format.empty() ? path.c_str() : nullptr, nullptr);
    if (format == nullptr) {
      throw bad_recipe(options_.format.empty()
                           ? "no video format is known by the ending of '" + path + "': say format"
                           : "format = \"" + options_.format + "\" is no container that can be written" +
                                 did_you_mean(options_.format, format_names()));
    }
    encoder_ = options_.codec.empty() ? avcodec_find_encoder(format->video_codec)
                                      : avcodec_find_encoder_by_name(options_.codec.c_str());
    if (encoder_ == nullptr || encoder_->type != AVMEDIA_TYPE_VIDEO) {
      throw bad_recipe(options_.codec.empty() ? std::string("format '") + format->name + "' holds no video"
                                              : "codec = \"" + options_.codec + "\" is no video encoder" +
                                                    did_you_mean(options_.codec, encoder_names()));
    }
    if (avformat_query_codec(format, encoder_->id, FF_COMPLIANCE_NORMAL) == 0)
      throw bad_recipe(std::string(encoder_->name) + " does not go into " + format->name);
    if (options_.joined && !may_be_joined(format->name))
      throw bad_recipe(std::string("segment is for formats whose streams may follow one another (") +
                       join_names() + "), not for " + format->name);
    for (const std::string& option : options_.options) {
      if (option.find('=') == std::string::npos)
        throw bad_recipe("option '" + option + "' is not of the form name=value");
    }
    AVFormatContext* made = nullptr;
    if (avformat_alloc_output_context2(&made, format, nullptr, nullptr) < 0) throw std::bad_alloc();
    format_.reset(made);
  }
  ~LibavEncoder() override {
    if (io_ != nullptr) {
      av_freep(&io_->buffer);
      avio_context_free(&io_);
    }
  }

  void begin(const FrameLayout& layout, Duration period) override {
    libav::listen();
    choose_format(layout);
    const Rational rate = rate_of(period.count());
    // Codecs of older standards have no such fine clock: those get a tick for each frame. And not every
    // codec and height can be coded in fields.
    const AVRational per_frame = {static_cast<int>(rate.den), static_cast<int>(rate.num)};
    const bool fields = interlaced(layout);
    // These write into their headers as frame rate what they are told the clock is.
    const bool coarse = encoder_->id == AV_CODEC_ID_MPEG1VIDEO || encoder_->id == AV_CODEC_ID_MPEG2VIDEO;
    const AVRational finest = coarse ? per_frame : kTicks;
    if (!(fields && (open(layout, rate, finest, true) || open(layout, rate, per_frame, true))) &&
        !open(layout, rate, finest, false) && !open(layout, rate, per_frame, false)) {
      throw bad_data("encoder " + std::string(encoder_->name) + " refuses " + layout.text() + ": " +
                     libav::reason(error_));
    }
    stream_ = avformat_new_stream(format_.get(), nullptr);
    if (stream_ == nullptr) throw std::bad_alloc();
    stream_->time_base = codec_->time_base;
    stream_->avg_frame_rate = codec_->framerate;
    stream_->sample_aspect_ratio = codec_->sample_aspect_ratio;
    check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "cannot describe its stream");
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kWriteBuffer));
    io_ = buffer == nullptr ? nullptr
                            : avio_alloc_context(buffer, kWriteBuffer, 1, this, nullptr, &on_write,
                                                 out_.seekable() ? &on_seek : nullptr);
    if (io_ == nullptr) throw std::bad_alloc();
    format_->pb = io_;
    base_ = out_.offset();
    if (options_.joined) follow_on();
    // No random identifiers: the same frames give the same bytes.
    format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    if (!out_.seekable()) av_dict_set(&rest_, "movflags", "frag_keyframe+empty_moov", AV_DICT_DONT_OVERWRITE);
    AVDictionary* unknown = rest_;
    rest_ = nullptr;
    const int error = avformat_write_header(format_.get(), &unknown);
    const AVDictionaryEntry* left = av_dict_get(unknown, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    const std::string name = left != nullptr ? left->key : "";
    av_dict_free(&unknown);
    check(error, "cannot begin its file");
    if (!name.empty() && name != "movflags")
      throw bad_recipe("option '" + name + "' is known neither to the encoder " + encoder_->name +
                       " nor to " + format_->oformat->name);
  }

  void write(const Packet& packet) override {
    const auto frame = std::static_pointer_cast<const Frame>(packet.payload);
    libav::FramePtr picture;
    if (conversion_) {
      converted_ = std::make_shared<const Frame>(conversion_->convert(frame));
      picture = libav::share(converted_);
    } else {
      picture = libav::share(frame);
    }
    picture->format = codec_->pix_fmt;
    std::int64_t pts = av_rescale_q(packet.time.count(), libav::kNanoseconds, codec_->time_base);
    if (pts <= newest_) pts = newest_ + 1;  // two frames in one tick
    newest_ = pts;
    picture->pts = pts;
    period_ = av_rescale_q(packet.duration.count(), libav::kNanoseconds, codec_->time_base);
    picture->pkt_duration = period_;
    send(picture.get());
  }

  void finish() override {
    if (!codec_) return;
    send(nullptr);
    check(av_write_trailer(format_.get()), "cannot end its file");
    avio_flush(io_);
    check(io_->error, "cannot be written");
  }
  bool resumable() const override { return false; }
  std::uint64_t kept() const override { return base_; }

 private:
  struct FreeOutput {
    void operator()(AVFormatContext* c) const { avformat_free_context(c); }
  };

  void check(int error, const char* what) {
    if (failure_) std::rethrow_exception(failure_);
    if (error < 0) throw failed(std::string(encoder_->name) + " " + what + ": " + libav::reason(error));
  }

  /// Times that go on from the stream before, and marks that the counters do not.
  void follow_on() {
    format_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
    if (format_->oformat->name != std::string_view("mpegts")) return;
    // Room for what must be decoded before it is shown.
    format_->max_delay = 700'000;
    av_dict_set(&rest_, "mpegts_flags", "+initial_discontinuity", AV_DICT_DONT_OVERWRITE);
  }

  /// What the encoder takes that is nearest to the frames.
  void choose_format(const FrameLayout& layout) {
    const AVPixelFormat own = libav::pixel_format_of(layout);
    if (own == AV_PIX_FMT_NONE) throw bad_data("frames of " + layout.text() + " cannot be encoded");
    pixels_ = own;
    if (encoder_->pix_fmts == nullptr) return;
    std::vector<AVPixelFormat> planar;
    for (const AVPixelFormat* f = encoder_->pix_fmts; *f != AV_PIX_FMT_NONE; ++f) {
      FrameLayout ignored;
      if (*f == own) return;
      if (libav::planar(*f, ignored)) planar.push_back(*f);
    }
    planar.push_back(AV_PIX_FMT_NONE);
    pixels_ = avcodec_find_best_pix_fmt_of_list(planar.data(), own, 0, nullptr);
    FrameLayout to;
    if (pixels_ == AV_PIX_FMT_NONE || !libav::planar(pixels_, to))
      throw bad_data("encoder " + std::string(encoder_->name) + " takes nothing like " + layout.text());
    if (std::string_view(av_get_pix_fmt_name(pixels_)).starts_with("yuvj")) to.range = ColorRange::kFull;
    halved_ = to.format == PixelFormat::kYuv420 || to.format == PixelFormat::kYuv422;
    conversion_.emplace(to);
  }

  static bool interlaced(const FrameLayout& layout) {
    return layout.sampling.fields == FieldOrder::kTopFirst ||
           layout.sampling.fields == FieldOrder::kBottomFirst;
  }
  bool open(const FrameLayout& layout, Rational rate, AVRational ticks, bool fields) {
    codec_.reset(avcodec_alloc_context3(encoder_));
    if (!codec_) throw std::bad_alloc();
    codec_->width = layout.width;
    codec_->height = layout.height;
    codec_->pix_fmt = pixels_;
    codec_->time_base = ticks;
    codec_->framerate = {static_cast<int>(rate.num), static_cast<int>(rate.den)};
    codec_->color_range =
        conversion_ && layout.format == PixelFormat::kRgb ? AVCOL_RANGE_MPEG : libav::range_of(layout.range);
    codec_->colorspace =
        layout.format == PixelFormat::kRgb && !conversion_ ? AVCOL_SPC_RGB : libav::matrix_of(layout.matrix);
    codec_->thread_count = 1;  // the result of several depends on their number
    codec_->sample_aspect_ratio = {layout.sampling.aspect_width, std::max(1, layout.sampling.aspect_height)};
    // Chroma that the conversion halves lies in the centre.
    codec_->chroma_sample_location =
        libav::location_of(conversion_ && layout.sampling.siting == ChromaSiting::kUnspecified && halved_
                               ? ChromaSiting::kCentre
                               : layout.sampling.siting);
    // Both fields lie in one picture, but for MJPEG, as FFmpeg's program has it.
    const bool top = layout.sampling.fields == FieldOrder::kTopFirst,
               apart = encoder_->id == AV_CODEC_ID_MJPEG;
    if (interlaced(layout))
      codec_->field_order = apart ? (top ? AV_FIELD_TT : AV_FIELD_BB) : (top ? AV_FIELD_TB : AV_FIELD_BT);
    else if (layout.sampling.fields == FieldOrder::kProgressive)
      codec_->field_order = AV_FIELD_PROGRESSIVE;
    if (fields) codec_->flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
    if ((format_->oformat->flags & AVFMT_GLOBALHEADER) != 0) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    codec_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    AVDictionary* options = nullptr;
    for (const std::string& option : options_.options) {
      const auto cut = option.find('=');
      av_dict_set(&options, option.substr(0, cut).c_str(), option.substr(cut + 1).c_str(), 0);
    }
    error_ = avcodec_open2(codec_.get(), encoder_, &options);
    av_dict_free(&rest_);
    rest_ = options;
    return error_ >= 0;
  }

  void send(const AVFrame* picture) {
    int error = avcodec_send_frame(codec_.get(), picture);
    check(error == AVERROR_EOF ? 0 : error, "cannot encode a frame");
    const auto packet = libav::new_packet();
    for (;;) {
      error = avcodec_receive_packet(codec_.get(), packet.get());
      if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) break;
      check(error, "cannot encode a frame");
      packet->stream_index = stream_->index;
      if (packet->duration == 0) packet->duration = period_;
      av_packet_rescale_ts(packet.get(), codec_->time_base, stream_->time_base);
      check(av_interleaved_write_frame(format_.get(), packet.get()), "cannot write a frame");
    }
    if (out_.interactive()) {
      av_write_frame(format_.get(), nullptr);
      avio_flush(io_);
    }
    check(io_->error, "cannot be written");
  }

  static int on_write(void* self, std::uint8_t* from, int size) {
    auto& encoder = *static_cast<LibavEncoder*>(self);
    try {
      std::string_view bytes(reinterpret_cast<const char*>(from), static_cast<std::size_t>(size));
      const std::uint64_t end = encoder.out_.offset() - encoder.base_;
      if (encoder.position_ < end) {
        const auto part = std::min<std::uint64_t>(bytes.size(), end - encoder.position_);
        encoder.out_.rewrite(encoder.base_ + encoder.position_, bytes.substr(0, part));
        encoder.position_ += part;
        bytes.remove_prefix(static_cast<std::size_t>(part));
      }
      encoder.out_.write(bytes);
      encoder.position_ += bytes.size();
      return size;
    } catch (...) {
      encoder.failure_ = std::current_exception();
      return AVERROR(EIO);
    }
  }
  static std::int64_t on_seek(void* self, std::int64_t to, int whence) {
    auto& encoder = *static_cast<LibavEncoder*>(self);
    const auto size = static_cast<std::int64_t>(encoder.out_.offset() - encoder.base_);
    if ((whence & AVSEEK_SIZE) != 0) return size;
    whence &= ~AVSEEK_FORCE;
    if (whence == SEEK_CUR) to += static_cast<std::int64_t>(encoder.position_);
    if (whence == SEEK_END) to += size;
    if (to < 0 || to > size) return AVERROR(EINVAL);
    encoder.position_ = static_cast<std::uint64_t>(to);
    return to;
  }

  OutputFile& out_;
  LibavOptions options_;
  const AVCodec* encoder_ = nullptr;
  AVPixelFormat pixels_ = AV_PIX_FMT_NONE;
  std::optional<libav::Conversion> conversion_;
  bool halved_ = false;  ///< what conversion_ makes has halved chroma
  std::shared_ptr<const Frame> converted_;
  AVDictionary* rest_ = nullptr;  ///< options that the encoder did not take
  std::unique_ptr<AVFormatContext, FreeOutput> format_;
  libav::CodecPtr codec_;
  AVIOContext* io_ = nullptr;
  AVStream* stream_ = nullptr;
  std::uint64_t base_ = 0;      ///< in the file, where this one's bytes begin
  std::uint64_t position_ = 0;  ///< from there, where libavformat writes next
  std::int64_t newest_ = -1;
  std::int64_t period_ = 0;  ///< ticks of the newest frame
  int error_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<VideoEncoder> make_libav_encoder(OutputFile& out, const std::string& path,
                                                 LibavOptions options) {
  return std::make_unique<LibavEncoder>(out, path, std::move(options));
}

}  // namespace stream
