/// Ogg (RFC 3533) with Vorbis, through libogg and libvorbis. libsndfile and libvorbisfile would seek or hide
/// damage.
#include <ogg/ogg.h>
#include <vorbis/codec.h>

#include <algorithm>
#include <cstring>

#include "audio_decoder.hpp"
#include "foreign_audio.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

/// Vorbis overlaps its blocks, so its state cannot be written down: a checkpoint keeps the number of frames
/// handed over, and resuming decodes from the start of the file and drops as many.
class OggDecoder final : public AudioDecoder {
 public:
  explicit OggDecoder(ByteWindow& in) : in_(in) {
    ogg_sync_init(&sync_);
    vorbis_info_init(&info_);
    vorbis_comment_init(&comment_);
  }
  ~OggDecoder() override {
    if (headers_ == kHeaders) {
      vorbis_block_clear(&block_);
      vorbis_dsp_clear(&dsp_);
    }
    if (open_) ogg_stream_clear(&stream_);
    vorbis_comment_clear(&comment_);
    vorbis_info_clear(&info_);
    ogg_sync_clear(&sync_);
  }

  Status decode(std::vector<float>& samples) override {
    const std::size_t start = samples.size();
    while (samples.size() == start) {
      if (take_samples(samples)) continue;
      ogg_packet packet;
      const int found = open_ ? ogg_stream_packetout(&stream_, &packet) : 0;
      if (found < 0) throw bad_data(here() + "Ogg pages are missing before this one");
      if (found > 0) {
        take_packet(packet);
        continue;
      }
      if (last_page_) return finish();
      if (const Status status = next_page(); status != Status::kData) return status;
    }
    return Status::kData;
  }

  void save(Archive& state) const override { state.set("frames", frames_ + drop_); }
  void load(const Archive& state) override { drop_ = state.get<std::uint64_t>("frames"); }

 private:
  static constexpr int kHeaders = 3;

  /// The page that the decoder works on.
  std::string here() const { return in_.name() + ": byte " + std::to_string(page_offset_) + ": "; }

  /// Moves what the codec has decoded to `samples`; false when there was nothing.
  bool take_samples(std::vector<float>& samples) {
    if (headers_ < kHeaders) return false;
    float** planes = nullptr;
    const int available = vorbis_synthesis_pcmout(&dsp_, &planes);
    if (available <= 0) return false;
    const auto dropped =
        static_cast<int>(std::min<std::uint64_t>(drop_, static_cast<std::uint64_t>(available)));
    for (int i = dropped; i < available; ++i) {
      for (int c = 0; c < channels_; ++c) samples.push_back(planes[c][i]);
    }
    vorbis_synthesis_read(&dsp_, available);
    drop_ -= static_cast<std::uint64_t>(dropped);
    frames_ += static_cast<std::uint64_t>(available);
    return true;
  }

  void take_packet(ogg_packet& packet) {
    if (headers_ < kHeaders) {
      if (vorbis_synthesis_headerin(&info_, &comment_, &packet) != 0) {
        const auto codec = foreign_ogg_codec(
            {reinterpret_cast<const char*>(packet.packet), static_cast<std::size_t>(packet.bytes)});
        if (codec.empty() || headers_ > 0) throw bad_data(here() + "expected a Vorbis header");
        throw bad_data(here() + std::string(codec) + " in Ogg is not read, only Vorbis is" +
                       conversion(in_.name()));
      }
      if (++headers_ < kHeaders) return;
      set_layout(in_.name(), info_.rate, info_.channels);
      if (vorbis_synthesis_init(&dsp_, &info_) != 0) throw bad_data(here() + "a Vorbis header is damaged");
      vorbis_block_init(&dsp_, &block_);
      return;
    }
    // A packet that is no audio is damage: a whole file has none after its headers.
    if (vorbis_synthesis(&block_, &packet) != 0) throw bad_data(here() + "a Vorbis packet is damaged");
    vorbis_synthesis_blockin(&dsp_, &block_);
  }

  Status next_page() {
    for (;;) {
      ogg_page page;
      const long size = ogg_sync_pageseek(&sync_, &page);
      if (size < 0)
        throw bad_data(in_.name() + ": byte " + std::to_string(next_offset_) +
                       ": no whole Ogg page begins here");
      if (size > 0) {
        page_offset_ = next_offset_;
        next_offset_ += static_cast<std::uint64_t>(size);
        if (!open_) {
          if (!ogg_page_bos(&page)) throw bad_data(here() + "the first Ogg page does not begin a stream");
          ogg_stream_init(&stream_, ogg_page_serialno(&page));
          open_ = true;
        } else if (ogg_page_serialno(&page) != stream_.serialno) {
          throw second_stream(page_offset_);
        }
        if (ogg_stream_pagein(&stream_, &page) != 0)
          throw bad_data(here() + "an Ogg page does not fit its stream");
        last_page_ = ogg_page_eos(&page);
        return Status::kData;
      }
      const auto status = in_.want(1);
      if (status == ByteWindow::Status::kInterrupted) return Status::kInterrupted;
      if (status == ByteWindow::Status::kEnd) {
        throw bad_data(in_.name() + ": byte " + std::to_string(next_offset_) + ": the input ends at byte " +
                       std::to_string(in_.offset()) + " before the last page of its Ogg stream");
      }
      const std::size_t bytes = std::min<std::size_t>(in_.view().size(), 4096);
      std::memcpy(ogg_sync_buffer(&sync_, static_cast<long>(bytes)), in_.view().data(), bytes);
      ogg_sync_wrote(&sync_, static_cast<long>(bytes));
      in_.consume(bytes);
    }
  }

  Status finish() {
    if (headers_ < kHeaders) throw bad_data(here() + "the Ogg stream ends inside its Vorbis headers");
    // Of what follows, libogg may have some already.
    constexpr std::string_view kPage = "OggS";
    const std::size_t buffered = static_cast<std::size_t>(in_.offset() - next_offset_);
    if (buffered < kPage.size() && in_.want(kPage.size() - buffered) == ByteWindow::Status::kInterrupted)
      return Status::kInterrupted;
    std::string next(reinterpret_cast<const char*>(sync_.data + sync_.returned),
                     std::min(buffered, kPage.size()));
    next += in_.view().substr(0, kPage.size() - next.size());
    if (next.empty()) return Status::kEnd;
    if (next == kPage) throw second_stream(next_offset_);
    throw bad_data(in_.name() + ": byte " + std::to_string(next_offset_) +
                   ": something that is not Ogg follows the end of the Ogg stream");
  }

  Error second_stream(std::uint64_t offset) const {
    return bad_data(
        in_.name() + ": byte " + std::to_string(offset) +
        ": a second stream begins here; of chained or multiplexed Ogg only the first stream is read" +
        conversion(in_.name()));
  }

  ByteWindow& in_;
  ogg_sync_state sync_;
  ogg_stream_state stream_;
  vorbis_info info_;
  vorbis_comment comment_;
  vorbis_dsp_state dsp_;
  vorbis_block block_;
  bool open_ = false, last_page_ = false;
  int headers_ = 0;
  std::uint64_t page_offset_ = 0, next_offset_ = 0;
  std::uint64_t frames_ = 0, drop_ = 0;
};

}  // namespace

std::unique_ptr<AudioDecoder> make_ogg_decoder(ByteWindow& in) { return std::make_unique<OggDecoder>(in); }

}  // namespace stream
