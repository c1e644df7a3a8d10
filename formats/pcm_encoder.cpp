/// Raw PCM and WAV.
#include "audio_encoder.hpp"

namespace stream {
namespace {

class RawEncoder : public AudioEncoder {
 public:
  RawEncoder(OutputFile& out, PcmEncoding encoding) : out_(out), encoding_(encoding) {}
  void begin(int, int) override {}
  void write(std::span<const float> samples) override {
    bytes_.clear();
    encode_pcm(encoding_, samples, bytes_);
    out_.write(bytes_);
  }
  void finish() override {}

 protected:
  OutputFile& out_;
  PcmEncoding encoding_;

 private:
  std::string bytes_;
};

class WavEncoder final : public RawEncoder {
 public:
  using RawEncoder::RawEncoder;

  void begin(int rate, int channels) override {
    const auto frame = static_cast<std::uint32_t>(size_of(encoding_)) * static_cast<std::uint32_t>(channels);
    std::string header = "RIFF";
    number(header, kOpen, 4);
    header += "WAVEfmt ";
    number(header, 16, 4);
    number(header, encoding_ == PcmEncoding::kF32Le ? 3 : 1, 2);
    number(header, static_cast<std::uint32_t>(channels), 2);
    number(header, static_cast<std::uint32_t>(rate), 4);
    number(header, static_cast<std::uint32_t>(rate) * frame, 4);
    number(header, frame, 2);
    number(header, static_cast<std::uint32_t>(8 * size_of(encoding_)), 2);
    header += "data";
    number(header, kOpen, 4);
    out_.write(header);
  }

  void finish() override {
    const std::uint64_t size = out_.offset() - kHeader;
    if (!out_.seekable() || size > kOpen - kHeader) return;  // readers take open sizes as "until the end"
    if (size % 2 == 1) out_.write(std::string_view("\0", 1));
    std::string field;
    number(field, static_cast<std::uint32_t>(out_.offset() - 8), 4);
    out_.rewrite(4, field);
    field.clear();
    number(field, static_cast<std::uint32_t>(size), 4);
    out_.rewrite(kHeader - 4, field);
  }

 private:
  static constexpr std::uint32_t kOpen = 0xFFFF'FFFF, kHeader = 44;
  static void number(std::string& to, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i));
  }
};

}  // namespace

std::unique_ptr<AudioEncoder> make_raw_encoder(OutputFile& out, PcmEncoding encoding) {
  return std::make_unique<RawEncoder>(out, encoding);
}
std::unique_ptr<AudioEncoder> make_wav_encoder(OutputFile& out, PcmEncoding encoding) {
  return std::make_unique<WavEncoder>(out, encoding);
}

}  // namespace stream
