/// FLAC (RFC 9639), through libFLAC. libsndfile would seek, and it hides where a file is cut.
#include <FLAC/stream_decoder.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "audio_decoder.hpp"
#include "md5.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

/// FLAC's frames do not depend on each other: a checkpoint keeps the first 42 bytes of the file (the marker
/// and the STREAMINFO block), the offset of the next frame and the MD5 so far, and resuming feeds a new
/// decoder with the first two. So does a read that was interrupted inside a frame. libFLAC's own check of the
/// MD5 could not go on where another decoder stopped.
class FlacDecoder final : public AudioDecoder {
 public:
  explicit FlacDecoder(ByteWindow& in) : in_(in) {}

  Status decode(std::vector<float>& samples) override {
    if (!decoder_) {
      if (const Status status = read_header(); status != Status::kData) return status;
      start();
    }
    decoded_.clear();
    while (decoded_.empty()) {
      if (total_ > 0 && frames_ >= total_) {
        if (in_.drain() == ByteWindow::Status::kInterrupted) return Status::kInterrupted;
        check_md5();
        return Status::kEnd;
      }
      const bool fine = FLAC__stream_decoder_process_single(decoder_.get());
      if (interrupted_) {
        in_.rewind();
        start();
        return Status::kInterrupted;
      }
      if (failure_) throw *failure_;
      const auto state = FLAC__stream_decoder_get_state(decoder_.get());
      if (state == FLAC__STREAM_DECODER_END_OF_STREAM) return ended();
      if (!fine || state == FLAC__STREAM_DECODER_ABORTED) {
        throw bad_data(at(position_) + FLAC__StreamDecoderStateString[state]);
      }
    }
    samples.insert(samples.end(), decoded_.begin(), decoded_.end());
    return Status::kData;
  }

  void save(Archive& state) const override {
    state.set("begun", decoder_ != nullptr);
    if (!decoder_) return;
    state.set("header", std::span(reinterpret_cast<const std::uint8_t*>(header_.data()), header_.size()));
    state.set("position", position_);
    state.set("frames", frames_);
    md5_.save(state);
  }
  void load(const Archive& state) override {
    if (!state.get<bool>("begun")) return;
    const auto header = state.get<std::vector<std::uint8_t>>("header");
    header_.assign(header.begin(), header.end());
    position_ = state.get<std::uint64_t>("position");
    frames_ = state.get<std::uint64_t>("frames");
    md5_.load(state);
    in_.resume(position_);
    start();
  }

 private:
  static constexpr std::size_t kHeader = 42, kMd5Offset = 26;
  struct Delete {
    void operator()(FLAC__StreamDecoder* d) const { FLAC__stream_decoder_delete(d); }
  };

  /// The marker, STREAMINFO, which is kept, and the other metadata blocks, which are passed over (RFC 9639,
  /// section 8). May be interrupted anywhere and called again.
  Status read_header() {
    if (header_.empty()) {
      if (const auto status = in_.want(kHeader); status != ByteWindow::Status::kReady)
        return cut_in_header(status);
      header_ = in_.view().substr(0, kHeader);
      last_block_ = (header_[4] & 0x80) != 0;
      header_[4] = static_cast<char>(header_[4] | 0x80);  // as the only metadata block
      in_.consume(kHeader);
    }
    for (;;) {
      if (const auto status = in_.skip(block_left_); status != ByteWindow::Status::kReady)
        return cut_in_header(status);
      if (last_block_) break;
      if (const auto status = in_.want(4); status != ByteWindow::Status::kReady) return cut_in_header(status);
      const auto byte = [&](std::size_t i) {
        return std::uint64_t{static_cast<std::uint8_t>(in_.view()[i])};
      };
      last_block_ = (byte(0) & 0x80) != 0;
      block_left_ = byte(1) << 16 | byte(2) << 8 | byte(3);
      in_.consume(4);
    }
    position_ = in_.offset();
    return Status::kData;
  }

  Status cut_in_header(ByteWindow::Status status) const {
    if (status == ByteWindow::Status::kInterrupted) return Status::kInterrupted;
    throw bad_data(in_.here() + "the input ends inside the header of a FLAC file");
  }

  /// A new decoder for what begins at position_.
  void start() {
    decoder_.reset(FLAC__stream_decoder_new());
    const auto status = FLAC__stream_decoder_init_stream(decoder_.get(), &on_read, nullptr, &on_tell, nullptr,
                                                         nullptr, &on_frame, &on_metadata, &on_error, this);
    if (status != FLAC__STREAM_DECODER_INIT_STATUS_OK) throw failed("libFLAC cannot start a decoder");
    prefix_ = header_;
    interrupted_ = at_end_ = false;
    in_.mark(position_);
  }

  std::string at(std::uint64_t offset) const {
    return in_.name() + ": byte " + std::to_string(offset) + ": ";
  }

  Status ended() {
    if (position_ < in_.offset() || rate_ == 0) throw cut_short();
    const std::string end = "the input ends at byte " + std::to_string(in_.offset());
    if (frames_ < total_) {
      throw bad_data(at(position_) + end + " after " + std::to_string(frames_) + " of " +
                     std::to_string(total_) + " audio frames");
    }
    check_md5();
    return Status::kEnd;
  }

  Error cut_short() const {
    return bad_data(at(position_) + "only part of a FLAC frame; the input ends at byte " +
                    std::to_string(in_.offset()));
  }

  /// Encoders that cannot seek leave it zero: nothing is known then.
  void check_md5() const {
    const Md5::Digest found = md5_.digest();
    if (stated_md5_ == Md5::Digest{} || stated_md5_ == found) return;
    throw bad_data(at(kMd5Offset) + "the header states " + hexadecimal(stated_md5_) +
                   " as the MD5 of the audio, that of what was decoded is " + hexadecimal(found) +
                   ": the samples are not those that were encoded");
  }

  static FLAC__StreamDecoderReadStatus on_read(const FLAC__StreamDecoder*, FLAC__byte* into,
                                               std::size_t* size, void* self) {
    return static_cast<FlacDecoder*>(self)->read(into, size);
  }
  FLAC__StreamDecoderReadStatus read(FLAC__byte* into, std::size_t* size) {
    if (!prefix_.empty()) {
      *size = std::min(*size, prefix_.size());
      std::memcpy(into, prefix_.data(), *size);
      prefix_.erase(0, *size);
      return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
    }
    ByteWindow::Status status = ByteWindow::Status::kReady;
    try {
      status = in_.want(1);
    } catch (const Error& e) {  // must not pass through libFLAC
      failure_ = e;
      *size = 0;
      return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
    }
    *size = std::min(*size, in_.view().size());
    if (status == ByteWindow::Status::kInterrupted) {
      interrupted_ = true;
      return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
    }
    if (*size == 0) {
      at_end_ = true;
      return FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
    }
    std::memcpy(into, in_.view().data(), *size);
    in_.consume(*size);
    return FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
  }

  static FLAC__StreamDecoderTellStatus on_tell(const FLAC__StreamDecoder*, FLAC__uint64* offset, void* self) {
    *offset = static_cast<FlacDecoder*>(self)->in_.offset();
    return FLAC__STREAM_DECODER_TELL_STATUS_OK;
  }

  static void on_metadata(const FLAC__StreamDecoder*, const FLAC__StreamMetadata* metadata, void* self) {
    if (metadata->type != FLAC__METADATA_TYPE_STREAMINFO) return;
    auto* decoder = static_cast<FlacDecoder*>(self);
    decoder->total_ = metadata->data.stream_info.total_samples;
    std::copy_n(metadata->data.stream_info.md5sum, decoder->stated_md5_.size(), decoder->stated_md5_.begin());
  }

  static void on_error(const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus status, void* user) {
    auto* self = static_cast<FlacDecoder*>(user);
    if (self->failure_) return;
    // A frame that is cut short looks to libFLAC like one that never began.
    if (self->at_end_ && status == FLAC__STREAM_DECODER_ERROR_STATUS_LOST_SYNC) {
      self->failure_ = self->cut_short();
      return;
    }
    const char* what =
        status == FLAC__STREAM_DECODER_ERROR_STATUS_FRAME_CRC_MISMATCH
            ? "the checksum of a FLAC frame is wrong"
        : status == FLAC__STREAM_DECODER_ERROR_STATUS_BAD_HEADER ? "the header of a FLAC frame is damaged"
        : status == FLAC__STREAM_DECODER_ERROR_STATUS_LOST_SYNC  ? "no FLAC frame begins here"
                                                                 : "a FLAC frame cannot be decoded";
    self->failure_ = bad_data(self->at(self->position_) + what);
  }

  static FLAC__StreamDecoderWriteStatus on_frame(const FLAC__StreamDecoder*, const FLAC__Frame* frame,
                                                 const FLAC__int32* const planes[], void* self) {
    return static_cast<FlacDecoder*>(self)->take(*frame, planes);
  }
  FLAC__StreamDecoderWriteStatus take(const FLAC__Frame& frame, const FLAC__int32* const planes[]) {
    if (failure_) return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
    const auto& h = frame.header;
    try {
      if (rate_ == 0) set_layout(in_.name(), h.sample_rate, h.channels);
      if (static_cast<int>(h.sample_rate) != rate_ || static_cast<int>(h.channels) != channels_) {
        throw bad_data(at(position_) + "rate or channels change inside the file");
      }
    } catch (const Error& e) {
      failure_ = e;
      return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
    }
    const float scale = std::ldexp(1.f, 1 - static_cast<int>(h.bits_per_sample));
    const auto channels = static_cast<std::size_t>(channels_);
    decoded_.resize(h.blocksize * channels);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < h.blocksize; ++i)
        decoded_[i * channels + c] = static_cast<float>(planes[c][i]) * scale;
    }
    digest(planes, h.blocksize, (h.bits_per_sample + 7) / 8);
    frames_ += h.blocksize;
    FLAC__stream_decoder_get_decode_position(decoder_.get(), &position_);
    in_.mark(position_);
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  }

  /// FLAC's MD5 is that of the interleaved samples, little-endian, in as few whole bytes as hold one.
  void digest(const FLAC__int32* const planes[], std::size_t frames, std::size_t width) {
    const auto channels = static_cast<std::size_t>(channels_);
    bytes_.resize(frames * channels * width);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < frames; ++i) {
        std::uint8_t* to = bytes_.data() + (i * channels + c) * width;
        for (std::size_t b = 0; b < width; ++b)
          to[b] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(planes[c][i]) >> (8 * b));
      }
    }
    md5_.update(bytes_);
  }

  ByteWindow& in_;
  std::unique_ptr<FLAC__StreamDecoder, Delete> decoder_;
  std::string header_, prefix_;
  Md5 md5_;
  Md5::Digest stated_md5_{};
  std::vector<std::uint8_t> bytes_;
  std::vector<float> decoded_;
  FLAC__uint64 position_ = 0;             ///< offset after the last whole frame
  std::uint64_t frames_ = 0, total_ = 0;  ///< total_ is 0 when the header does not say
  std::uint64_t block_left_ = 0;          ///< of the metadata block that is passed over
  bool last_block_ = false, interrupted_ = false, at_end_ = false;
  std::optional<Error> failure_;
};

}  // namespace

std::unique_ptr<AudioDecoder> make_flac_decoder(ByteWindow& in) { return std::make_unique<FlacDecoder>(in); }

}  // namespace stream
