/// Ogg (RFC 3533) with Vorbis, through libogg and libvorbis. The serial number is fixed, so that equal audio
/// gives equal bytes.
#include <ogg/ogg.h>
#include <vorbis/codec.h>
#include <vorbis/vorbisenc.h>

#include <algorithm>

#include "audio_encoder.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

class OggEncoder final : public AudioEncoder {
 public:
  OggEncoder(OutputFile& out, double quality) : out_(out), quality_(static_cast<float>(quality)) {
    vorbis_info_init(&info_);
  }
  ~OggEncoder() override {
    if (begun_) {
      vorbis_block_clear(&block_);
      vorbis_dsp_clear(&dsp_);
      ogg_stream_clear(&stream_);
    }
    vorbis_info_clear(&info_);
  }

  void begin(int rate, int channels) override {
    if (vorbis_encode_init_vbr(&info_, channels, rate, quality_) != 0) {
      throw cannot_write(out_.name() + ": Vorbis cannot hold " + std::to_string(channels) + " channels at " +
                         std::to_string(rate) + " Hz");
    }
    vorbis_analysis_init(&dsp_, &info_);
    vorbis_block_init(&dsp_, &block_);
    ogg_stream_init(&stream_, 1);
    begun_ = true;
    vorbis_comment comment;
    vorbis_comment_init(&comment);
    ogg_packet head, comments, books;
    vorbis_analysis_headerout(&dsp_, &comment, &head, &comments, &books);
    for (ogg_packet* packet : {&head, &comments, &books}) ogg_stream_packetin(&stream_, packet);
    vorbis_comment_clear(&comment);
    ogg_page page;
    while (ogg_stream_flush(&stream_, &page) != 0) put(page);  // audio begins on a page of its own
  }

  void write(std::span<const float> samples) override {
    const auto channels = static_cast<std::size_t>(info_.channels);
    // libvorbis needs memory for each call; the piece bounds it.
    for (std::size_t at = 0; at < samples.size(); at += kPiece * channels) {
      const auto piece = samples.subspan(at, std::min(kPiece * channels, samples.size() - at));
      const auto frames = static_cast<int>(piece.size() / channels);
      float** planes = vorbis_analysis_buffer(&dsp_, frames);
      for (std::size_t i = 0; i < piece.size(); ++i) planes[i % channels][i / channels] = piece[i];
      vorbis_analysis_wrote(&dsp_, frames);
      encode();
    }
  }

  void finish() override {
    vorbis_analysis_wrote(&dsp_, 0);
    encode();
    ogg_page page;
    while (ogg_stream_flush(&stream_, &page) != 0) put(page);
  }
  bool resumable() const override { return false; }

 private:
  static constexpr std::size_t kPiece = 1024;  // frames

  void encode() {
    ogg_packet packet;
    ogg_page page;
    while (vorbis_analysis_blockout(&dsp_, &block_) == 1) {
      vorbis_analysis(&block_, nullptr);
      vorbis_bitrate_addblock(&block_);
      while (vorbis_bitrate_flushpacket(&dsp_, &packet) == 1) {
        ogg_stream_packetin(&stream_, &packet);
        while (ogg_stream_pageout(&stream_, &page) != 0) put(page);
      }
    }
  }

  void put(const ogg_page& page) {
    out_.write(std::string_view(reinterpret_cast<const char*>(page.header),
                                static_cast<std::size_t>(page.header_len)));
    out_.write(
        std::string_view(reinterpret_cast<const char*>(page.body), static_cast<std::size_t>(page.body_len)));
  }

  OutputFile& out_;
  float quality_;
  vorbis_info info_;
  vorbis_dsp_state dsp_;
  vorbis_block block_;
  ogg_stream_state stream_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<AudioEncoder> make_ogg_encoder(OutputFile& out, double quality) {
  return std::make_unique<OggEncoder>(out, quality);
}

}  // namespace stream
