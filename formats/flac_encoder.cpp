/// FLAC (RFC 9639), through libFLAC.
#include <FLAC/stream_encoder.h>

#include <exception>
#include <vector>

#include "audio_encoder.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

class FlacEncoder final : public AudioEncoder {
 public:
  FlacEncoder(OutputFile& out, PcmEncoding encoding)
      : out_(out), bits_(encoding == PcmEncoding::kS24Le ? 24 : 16), encoder_(FLAC__stream_encoder_new()) {}

  void begin(int rate, int channels) override {
    auto* e = encoder_.get();
    channels_ = static_cast<std::size_t>(channels);
    FLAC__stream_encoder_set_channels(e, static_cast<std::uint32_t>(channels));
    FLAC__stream_encoder_set_bits_per_sample(e, static_cast<std::uint32_t>(bits_));
    FLAC__stream_encoder_set_sample_rate(e, static_cast<std::uint32_t>(rate));
    FLAC__stream_encoder_set_compression_level(e, 5);
    FLAC__stream_encoder_set_streamable_subset(e, false);  // any rate, not only those a frame header can name
    position_ = out_.offset();                             // stdout may be a file that held something before
    const bool seekable = out_.seekable();
    const auto status = FLAC__stream_encoder_init_stream(e, &on_write, seekable ? &on_seek : nullptr,
                                                         seekable ? &on_tell : nullptr, nullptr, this);
    if (status != FLAC__STREAM_ENCODER_INIT_STATUS_OK) {
      throw cannot_write(out_.name() + ": FLAC cannot hold " + std::to_string(channels) + " channels at " +
                         std::to_string(rate) + " Hz: " + FLAC__StreamEncoderInitStatusString[status]);
    }
  }

  void write(std::span<const float> samples) override {
    integers_.clear();
    for (const float x : samples) integers_.push_back(quantized(x, bits_));
    check(FLAC__stream_encoder_process_interleaved(encoder_.get(), integers_.data(),
                                                   static_cast<std::uint32_t>(samples.size() / channels_)));
  }
  void finish() override { check(FLAC__stream_encoder_finish(encoder_.get())); }
  bool resumable() const override { return false; }

 private:
  struct Delete {
    void operator()(FLAC__StreamEncoder* e) const { FLAC__stream_encoder_delete(e); }
  };

  void check(bool fine) {
    if (failure_) std::rethrow_exception(failure_);
    if (!fine) {
      throw failed(out_.name() + ": libFLAC: " +
                   FLAC__StreamEncoderStateString[FLAC__stream_encoder_get_state(encoder_.get())]);
    }
  }

  static FLAC__StreamEncoderWriteStatus on_write(const FLAC__StreamEncoder*, const FLAC__byte* data,
                                                 std::size_t size, std::uint32_t, std::uint32_t, void* user) {
    auto* self = static_cast<FlacEncoder*>(user);
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try {  // nothing may pass through libFLAC
      if (self->position_ == self->out_.offset())
        self->out_.write(bytes);
      else
        self->out_.rewrite(self->position_, bytes);
    } catch (...) {
      self->failure_ = std::current_exception();
      return FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR;
    }
    self->position_ += size;
    return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
  }
  static FLAC__StreamEncoderSeekStatus on_seek(const FLAC__StreamEncoder*, FLAC__uint64 offset, void* self) {
    static_cast<FlacEncoder*>(self)->position_ = offset;
    return FLAC__STREAM_ENCODER_SEEK_STATUS_OK;
  }
  static FLAC__StreamEncoderTellStatus on_tell(const FLAC__StreamEncoder*, FLAC__uint64* offset, void* self) {
    *offset = static_cast<FlacEncoder*>(self)->position_;
    return FLAC__STREAM_ENCODER_TELL_STATUS_OK;
  }

  OutputFile& out_;
  int bits_;
  std::size_t channels_ = 1;
  std::vector<FLAC__int32> integers_;
  std::uint64_t position_ = 0;  ///< where libFLAC writes next
  std::exception_ptr failure_;
  // Last, so that it goes first: a run that stops early lets libFLAC write once more while it is deleted.
  std::unique_ptr<FLAC__StreamEncoder, Delete> encoder_;
};

}  // namespace

std::unique_ptr<AudioEncoder> make_flac_encoder(OutputFile& out, PcmEncoding encoding) {
  return std::make_unique<FlacEncoder>(out, encoding);
}

}  // namespace stream
