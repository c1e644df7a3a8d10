/// Any container and codec, through libavformat and libavcodec.
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

extern "C" {
#include <libavutil/opt.h>
}

#include "libav.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"
#include "stream/spec.hpp"
#include "video_decoder.hpp"

namespace stream {
namespace {

constexpr int kReadBuffer = 1 << 16;
constexpr std::size_t kMostAhead = 4;  ///< frames decoded before they are asked for

/// A thread of its own reads and decodes, because libavformat cannot be stopped in the middle of a read and
/// called again. Frames wait in a short queue.
class LibavDecoder final : public VideoDecoder {
 public:
  LibavDecoder(VideoInput& in, Rational rate) : in_(in), rate_(rate) {}
  ~LibavDecoder() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    in_.interrupt();
    if (thread_.joinable()) thread_.join();
    format_.reset();
    if (io_ != nullptr) {
      av_freep(&io_->buffer);
      avio_context_free(&io_);
    }
  }

  Status decode(Packet& frame) override {
    if (!thread_.joinable() && !ended_) thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || ended_ || interrupted_; });
    interrupted_ = false;
    if (!ready_.empty()) {
      frame = std::move(ready_.front());
      ready_.pop_front();
      ++index_;
      lock.unlock();
      changed_.notify_all();
      return Status::kFrame;
    }
    if (!ended_) return Status::kInterrupted;
    if (failure_) std::rethrow_exception(std::exchange(failure_, {}));
    return Status::kEnd;
  }

  void save(Archive& state) const override { state.set("index", index_); }
  /// Decoding starts anew: a codec's state cannot be written down.
  void load(const Archive& state) override {
    index_ = state.get<std::int64_t>("index");
    skip_ = index_;
  }

 private:
  struct CloseInput {
    void operator()(AVFormatContext* c) const { avformat_close_input(&c); }
  };

  // --- on the thread

  void run() {
    std::exception_ptr failure;
    try {
      libav::listen();
      open();
      decode_all();
    } catch (const Stopped&) {
    } catch (const Error& e) {
      failure = std::make_exception_ptr(e.within(in_.name()));
    } catch (...) {
      failure = std::current_exception();
    }
    if (read_failure_) failure = std::move(read_failure_);
    {
      const std::lock_guard lock(mutex_);
      failure_ = std::move(failure);  // this thread keeps no part in what another may look at and free
      ended_ = true;
    }
    changed_.notify_all();
  }
  struct Stopped {};

  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  static int on_read(void* self, std::uint8_t* to, int size) {
    return static_cast<LibavDecoder*>(self)->read(to, size);
  }
  int read(std::uint8_t* to, int size) {
    try {
      for (;;) {
        if (stopping()) return AVERROR_EXIT;
        const auto [status, got] =
            in_.read({reinterpret_cast<std::byte*>(to), static_cast<std::size_t>(size)});
        if (status == InputFile::Status::kData) return static_cast<int>(got);
        if (status == InputFile::Status::kEnd) return AVERROR_EOF;
        {
          const std::lock_guard lock(mutex_);
          interrupted_ = true;
        }
        changed_.notify_all();
      }
    } catch (...) {
      read_failure_ = std::current_exception();
      return AVERROR(EIO);
    }
  }
  static std::int64_t on_seek(void* self, std::int64_t to, int whence) {
    VideoInput& in = static_cast<LibavDecoder*>(self)->in_;
    const auto size = static_cast<std::int64_t>(in.size());
    if ((whence & AVSEEK_SIZE) != 0) return size;
    whence &= ~AVSEEK_FORCE;
    if (whence == SEEK_CUR) to += static_cast<std::int64_t>(in.offset());
    if (whence == SEEK_END) to += size;
    if (to < 0 || to > size) return AVERROR(EINVAL);
    try {
      in.skip_to(static_cast<std::uint64_t>(to));
    } catch (const Error&) {
      return AVERROR(EIO);
    }
    return to;
  }

  void open() {
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kReadBuffer));
    if (buffer == nullptr) throw std::bad_alloc();
    io_ = avio_alloc_context(buffer, kReadBuffer, 0, this, &on_read, nullptr,
                             in_.size() > 0 ? &on_seek : nullptr);
    AVFormatContext* made = avformat_alloc_context();
    if (io_ == nullptr || made == nullptr) throw std::bad_alloc();
    made->pb = io_;
    // Nothing that the input names is opened: a playlist could name any file or address.
    made->protocol_whitelist = av_strdup("");
    made->max_streams = 64;
    if (const int error = avformat_open_input(&made, "", nullptr, nullptr); error < 0) throw wrong(error);
    format_.reset(made);
    if (const int error = avformat_find_stream_info(made, nullptr); error < 0) throw wrong(error);
    const AVCodec* codec = nullptr;
    const int best = av_find_best_stream(made, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (best == AVERROR_DECODER_NOT_FOUND)
      throw bad_data("its video is of a codec that these libraries cannot decode");
    if (best < 0) throw bad_data(std::string(made->iformat->long_name) + " without a video stream");
    stream_ = made->streams[best];
    for (unsigned i = 0; i < made->nb_streams; ++i) {
      if (static_cast<int>(i) != best) made->streams[i]->discard = AVDISCARD_ALL;
    }
    codec_.reset(avcodec_alloc_context3(codec));
    if (!codec_) throw std::bad_alloc();
    if (const int error = avcodec_parameters_to_context(codec_.get(), stream_->codecpar); error < 0)
      throw wrong(error);
    codec_->pkt_timebase = stream_->time_base;
    codec_->max_pixels = std::int64_t{FrameLayout::kMostSide} * FrameLayout::kMostSide / 4;
    codec_->thread_count = 1;
    codec_->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    if (const int error = avcodec_open2(codec_.get(), codec, nullptr); error < 0) throw wrong(error);
  }

  Error wrong(int error) const {
    if (read_failure_) std::rethrow_exception(read_failure_);
    const std::string pipe =
        in_.size() == 0 ? "; on a pipe, a container must not have its index at the end" : "";
    return bad_data(in_.offset() == 0 ? "is empty: expected video"
                                      : "cannot be read as video: " + libav::reason(error) + pipe);
  }
  std::string frame_number() const { return "frame " + std::to_string(decoded_); }

  void decode_all() {
    const auto packet = libav::new_packet();
    const auto picture = libav::new_frame();
    bool drained = false;
    while (!drained) {
      const int error = av_read_frame(format_.get(), packet.get());
      if (stopping()) throw Stopped{};
      if (error < 0 && error != AVERROR_EOF) {
        send(nullptr, *picture);
        throw bad_data(frame_number() + ": the input cannot be read on: " + libav::reason(error));
      }
      if (error == AVERROR_EOF) {
        drained = true;
        send(nullptr, *picture);
      } else if (packet->stream_index == stream_->index) {
        if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
          send(nullptr, *picture);
          throw bad_data(frame_number() + ": the input is cut or damaged near byte " +
                         std::to_string(packet->pos));
        }
        position_ = packet->pos;
        send(packet.get(), *picture);
      }
      av_packet_unref(packet.get());
    }
    check_length();
  }

  /// null: no more packets.
  void send(const AVPacket* packet, AVFrame& picture) {
    int error = avcodec_send_packet(codec_.get(), packet);
    if (error < 0 && error != AVERROR_EOF) throw damaged(error);
    for (;;) {
      error = avcodec_receive_frame(codec_.get(), &picture);
      if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return;
      if (error < 0) throw damaged(error);
      hand_over(picture);
      av_frame_unref(&picture);
    }
  }
  Error damaged(int error) const {
    return bad_data(frame_number() + " (near byte " + std::to_string(position_) +
                    ") cannot be decoded: " + libav::reason(error));
  }

  void hand_over(AVFrame& picture) {
    if (picture.decode_error_flags != 0)
      throw bad_data(frame_number() + " (near byte " + std::to_string(position_) + ") is damaged");
    Packet packet;
    set_time(picture, packet);
    // The container's word goes before the codec's, as everywhere in FFmpeg.
    picture.sample_aspect_ratio = av_guess_sample_aspect_ratio(format_.get(), stream_, &picture);
    const std::int64_t number = decoded_++;
    if (number < skip_) return;
    FrameLayout layout;
    packet.payload = libav::planar(static_cast<AVPixelFormat>(picture.format), layout)
                         ? std::make_shared<const Frame>(libav::share(picture))
                         : std::make_shared<const Frame>(converted(picture));
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < kMostAhead || stopping_; });
    if (stopping_) throw Stopped{};
    ready_.push_back(std::move(packet));
    lock.unlock();
    changed_.notify_all();
  }

  Frame converted(const AVFrame& picture) {
    if (!conversion_) {
      const auto from = static_cast<AVPixelFormat>(picture.format);
      FrameLayout to;
      libav::planar(libav::nearest_planar(from), to);
      conversion_.emplace(to);
      log_debug({}, in_.name() + ": " + av_get_pix_fmt_name(from) + " becomes " + name_of(to.format));
    }
    return conversion_->convert(picture);
  }

  void set_time(const AVFrame& picture, Packet& packet) {
    if (rate_.num > 0) {
      packet.time = time_of(decoded_, rate_);
      packet.duration = time_of(decoded_ + 1, rate_) - packet.time;
      return;
    }
    std::int64_t stamp = picture.best_effort_timestamp;
    // Programme and transport streams stamp some frames, and the others follow them.
    const bool sparse = (format_->iformat->flags & AVFMT_TS_DISCONT) != 0;
    if (stamp == AV_NOPTS_VALUE && sparse && decoded_ > 0 && last_ticks_ > 0)
      stamp = last_stamp_ + last_ticks_;
    if (stamp == AV_NOPTS_VALUE)
      throw bad_data(frame_number() +
                     " has no timestamp: say rate = \"25\", or whatever it is, to count frames");
    if (decoded_ == 0) first_stamp_ = stamp;
    const auto nanoseconds = [&](std::int64_t ticks) {
      return Time{av_rescale_q(ticks, stream_->time_base, libav::kNanoseconds)};
    };
    packet.time = nanoseconds(stamp - first_stamp_);
    if (packet.time < newest_)
      throw bad_data(frame_number() + " is stamped " + to_string(packet.time) +
                     ", before the one before it at " + to_string(newest_) +
                     ": say rate = \"25\", or whatever it is, to count frames");
    newest_ = packet.time;
    const std::int64_t ticks = picture.pkt_duration;
    last_stamp_ = stamp;
    if (ticks > 0) last_ticks_ = ticks;
    if (ticks > 0) {
      packet.duration = nanoseconds(stamp - first_stamp_ + ticks) - packet.time;
    } else if (stream_->avg_frame_rate.num > 0 && stream_->avg_frame_rate.den > 0) {
      packet.duration = time_of(1, {stream_->avg_frame_rate.num, stream_->avg_frame_rate.den});
    }
    end_ = packet.time + packet.duration;
  }

  /// Containers that know how long they are say so when they are cut.
  void check_length() const {
    const std::int64_t frames = stream_->nb_frames;
    const bool cut =
        frames > 0 && decoded_ < frames && std::string_view(format_->iformat->name).starts_with("mov");
    if (cut)
      throw bad_data("the input ends after frame " + std::to_string(decoded_) + " of " +
                     std::to_string(frames));
    // Transport streams have no length and no end, but their packets have.
    std::int64_t packet = 0;
    if (std::string_view(format_->iformat->name) == "mpegts" &&
        av_opt_get_int(format_->priv_data, "ts_packetsize", 0, &packet) >= 0 && packet > 0 &&
        in_.offset() % static_cast<std::uint64_t>(packet) != 0)
      throw bad_data("the input ends inside a transport packet, at byte " + std::to_string(in_.offset()) +
                     ", after frame " + std::to_string(decoded_ - 1));
    // Matroska is read on over a cut as if it were the end, and only the log tells.
    if (libav::last_message().find("ended prematurely") != std::string::npos)
      throw bad_data(decoded_ == 0
                         ? "the input is cut before its first frame ends"
                         : "the input is cut inside of what follows frame " + std::to_string(decoded_ - 1));
    // Matroska: what a muxer that could seek back has written, in hours, minutes and seconds.
    const AVDictionaryEntry* entry = av_dict_get(stream_->metadata, "DURATION", nullptr, 0);
    int hours = 0, minutes = 0;
    double seconds_left = 0;
    if (entry != nullptr && rate_.num == 0 &&
        std::sscanf(entry->value, "%d:%d:%lf", &hours, &minutes, &seconds_left) == 3) {
      const double said = hours * 3600.0 + minutes * 60.0 + seconds_left;
      const double missing = said - seconds(end_);
      if (missing > 0.01 + 1.5 * seconds(end_) / static_cast<double>(std::max<std::int64_t>(1, decoded_)))
        throw bad_data("the input ends after frame " + std::to_string(decoded_) + ", " +
                       to_string(Duration(static_cast<std::int64_t>(missing * 1e3) * 1'000'000)) +
                       " before the end that it states");
    }
    if (decoded_ == 0) throw bad_data("no frame in it");
  }

  VideoInput& in_;
  const Rational rate_;
  std::thread thread_;

  // The thread's own:
  AVIOContext* io_ = nullptr;
  std::unique_ptr<AVFormatContext, CloseInput> format_;
  AVStream* stream_ = nullptr;
  libav::CodecPtr codec_;
  std::optional<libav::Conversion> conversion_;
  std::exception_ptr read_failure_;
  std::int64_t decoded_ = 0, first_stamp_ = 0, position_ = 0;
  std::int64_t last_stamp_ = 0,
               last_ticks_ = 0;  ///< of the newest frame, and of the newest that has a length
  Time newest_{0}, end_{0};

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::deque<Packet> ready_;
  bool ended_ = false, interrupted_ = false, stopping_ = false;
  std::exception_ptr failure_;

  std::int64_t index_ = 0;  ///< frames handed over
  std::int64_t skip_ = 0;   ///< of the thread's frames, those handed over by a run before
};

}  // namespace

std::unique_ptr<VideoDecoder> make_libav_decoder(VideoInput& in, Rational rate) {
  return std::make_unique<LibavDecoder>(in, rate);
}

}  // namespace stream
