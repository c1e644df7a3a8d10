/// audio.read: audio from a file or pipe, at the rate and with the channels that the recipe wants.
#pragma once

#include <cmath>
#include <optional>

#include "audio_decoder.hpp"
#include "foreign_audio.hpp"
#include "resampler.hpp"
#include "stream/plugin.hpp"

namespace stream {

class AudioRead final : public Source {
 public:
  static Spec spec() {
    return Spec{"audio.read",
                "Read audio (WAV, FLAC, Ogg Vorbis, raw PCM) from a file or stdin as it arrives."}
        .output<Audio>("out", "blocks of equal length; only the last may be shorter")
        .path("path", "-", "file to read; - is stdin")
        .param("format", "auto", "container; auto goes by the first bytes",
               choices({"auto", "wav", "flac", "ogg", "raw"}))
        .param("rate", 0, "sample rate to deliver, resampling where needed; 0: that of the file",
               range(0, 768000), unit("Hz"))
        .param("channels", 0,
               "channels to deliver: 1 averages all, 2 doubles a single one; 0: those of the file",
               range(0, 64))
        .param("block", std::chrono::milliseconds(20), "length of one packet")
        .param("raw_rate", 16000, "sample rate of raw PCM", range(1, 768000), unit("Hz"))
        .param("raw_channels", 1, "interleaved channels of raw PCM", range(1, 64))
        .param("raw_encoding", "s16le", "sample encoding of raw PCM",
               choices({"u8", "s8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be",
                        "f64le", "mulaw", "alaw"}))
        .about(
            "The input is read forward only, so a file and a pipe of the same bytes give the same packets. "
            "WAV may be PCM of 8 "
            "to 32 bits, float, A-law or mu-law, in RIFF or RF64; the sizes that writers to pipes leave open "
            "are understood. "
            "Packets are stamped with the exact time of their first frame. Damage (a cut file, a wrong "
            "checksum, FLAC audio without the MD5 that its header states, a sample that "
            "is no number) ends the run with exit code 65 and a message that names file and byte, after all "
            "audio before "
            "it was delivered. An empty input is an error, but for raw PCM, which just ends.\n\n"
            "Resampling is a polyphase filter (flat to 0.9 of the lower Nyquist frequency, 100 dB stop band) "
            "whose output depends "
            "neither on how bytes arrive nor on where a run is resumed. A checkpoint records the offset of "
            "the next "
            "sample (WAV, raw) or frame (FLAC) and the filter's window; Ogg Vorbis is decoded again from the "
            "start.")
        .contract({.order = Order::kStateful})
        .example(
            "Speech at 16 kHz, one channel, from whatever arrives on stdin",
            "[nodes.speech]\nuse      = \"audio.read\"\npath     = \"-\"\nrate     = 16000\nchannels = 1\n\n"
            "[nodes.out]\nuse  = \"audio.write\"\nfrom = \"speech\"\npath = \"-\"\n")
        .example("Raw PCM from a microphone: arecord -q -t raw -f S16_LE -r 16000 | stream run RECIPE",
                 "[nodes.microphone]\nuse      = \"audio.read\"\nformat   = \"raw\"\nraw_rate = 16000\n\n"
                 "[nodes.out]\nuse  = \"audio.write\"\nfrom = \"microphone\"\npath = \"recording.wav\"\n");
  }

  explicit AudioRead(const Params& p)
      : in_(p.input_path("path")),
        format_(p.get<std::string>("format")),
        want_rate_(p.get<int>("rate")),
        want_channels_(p.get<int>("channels")),
        block_(p.get<Duration>("block")),
        raw_{pcm_encoding(p.get<std::string>("raw_encoding")), p.get<int>("raw_rate"),
             p.get<int>("raw_channels")} {
    if (block_ < std::chrono::milliseconds(1) || block_ > std::chrono::seconds(60)) {
      throw bad_recipe("block = " + to_string(block_) + " is not within 1ms to 1m");
    }
  }

  bool read(Output& out) override {
    if (ended_) return false;
    auto status = AudioDecoder::Status::kEnd;
    try {
      if (!decoder_) status = open();
      if (decoder_) {
        decoded_.clear();
        status = decoder_->decode(decoded_);
        if (status == AudioDecoder::Status::kData) convert();
      }
    } catch (const Error&) {
      end(out);  // everything before the damage comes first
      throw;
    }
    if (status == AudioDecoder::Status::kEnd) {
      end(out);
      return false;
    }
    emit_blocks(out);
    return true;
  }

  void interrupt() override { in_.interrupt(); }
  double fraction() const override { return in_.fraction(); }

  void save(Archive& state) const override {
    state.set("ended", ended_);
    state.set("begun", decoder_ != nullptr && !ended_);
    if (!decoder_ || ended_) return;
    state.set("format", format_);
    decoder_->save(state.group("decoder"));
    state.set("rate", in_rate_);
    state.set("channels", in_channels_);
    state.set("frame", frame_);
    state.set("pending", pending_);
    if (resampler_) resampler_->save(state.group("resampler"));
  }
  void load(const Archive& state) override {
    ended_ = state.get<bool>("ended");
    if (!state.get<bool>("begun")) return;
    format_ = state.get<std::string>("format");
    make_decoder();
    decoder_->load(state.group("decoder"));
    if (const int rate = state.get<int>("rate"); rate > 0) configure(rate, state.get<int>("channels"));
    frame_ = state.get<std::int64_t>("frame");
    pending_ = state.get<std::vector<float>>("pending");
    if (resampler_) resampler_->load(state.group("resampler"));
  }

 private:
  /// Chooses the decoder by the first bytes. Leaves it null when interrupted, and when raw PCM is empty.
  AudioDecoder::Status open() {
    if (format_ == "auto") {
      const auto status = in_.want(kMagicBytes);
      if (status == ByteWindow::Status::kInterrupted) return AudioDecoder::Status::kInterrupted;
      const std::string_view magic = in_.view().substr(0, 4);
      if (magic.empty()) throw bad_data(in_.name() + " is empty: expected audio");
      if (magic == "RIFF" || magic == "RF64")
        format_ = "wav";
      else if (magic == "fLaC")
        format_ = "flac";
      else if (magic == "OggS")
        format_ = "ogg";
      else
        throw foreign(foreign_container(in_.view()));
    } else if (format_ != "raw") {
      const auto status = in_.want(1);
      if (status == ByteWindow::Status::kInterrupted) return AudioDecoder::Status::kInterrupted;
      if (status == ByteWindow::Status::kEnd) throw bad_data(in_.name() + " is empty: expected audio");
    }
    make_decoder();
    return AudioDecoder::Status::kData;
  }

  Error foreign(std::string_view container) const {
    if (!container.empty())
      return bad_data(in_.name() + " is " + std::string(container) +
                      ", which is not read: WAV, FLAC and Ogg Vorbis are" + conversion(in_.name()));
    return bad_data(in_.name() +
                    " is neither WAV, FLAC nor Ogg by its first bytes; for raw PCM say format = \"raw\"");
  }

  void make_decoder() {
    decoder_ = format_ == "wav"    ? make_wav_decoder(in_)
               : format_ == "flac" ? make_flac_decoder(in_)
               : format_ == "ogg"  ? make_ogg_decoder(in_)
                                   : make_raw_decoder(in_, raw_);
  }

  /// Once rate and channels of the input are known.
  void configure(int rate, int channels) {
    in_rate_ = rate;
    in_channels_ = channels;
    out_channels_ = want_channels_ == 0 ? channels : want_channels_;
    if (out_channels_ != channels && out_channels_ != 1 && channels != 1) {
      throw bad_data(in_.name() + " has " + std::to_string(channels) + " channels, which cannot become " +
                     std::to_string(out_channels_) + ": say channels = 0 (as they are) or 1 (their average)");
    }
    out_rate_ = want_rate_ == 0 ? rate : want_rate_;
    if (!Resampler::possible(rate, out_rate_)) {
      throw bad_data(in_.name() + " has a sample rate of " + std::to_string(rate) + " Hz, too far from " +
                     std::to_string(out_rate_) + " Hz (more than 256 times)");
    }
    if (out_rate_ != rate) resampler_.emplace(rate, out_rate_, std::min(channels, out_channels_));
    block_frames_ =
        std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(seconds(block_) * out_rate_)));
  }

  /// decoded_ to the wanted channels and rate, added to pending_. Mixing down comes before resampling,
  /// doubling after.
  void convert() {
    if (out_rate_ == 0) configure(decoder_->rate(), decoder_->channels());
    if (out_channels_ == 1 && in_channels_ > 1) mix_down();
    resampled_.clear();
    if (resampler_) resampler_->push(decoded_, resampled_);
    append(resampler_ ? resampled_ : decoded_);
  }

  void mix_down() {
    const auto channels = static_cast<std::size_t>(in_channels_);
    const std::size_t frames = decoded_.size() / channels;
    for (std::size_t i = 0; i < frames; ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += decoded_[i * channels + c];
      decoded_[i] = sum / static_cast<float>(channels);
    }
    decoded_.resize(frames);
  }

  void append(const std::vector<float>& samples) {
    const int copies = in_channels_ == 1 ? out_channels_ : 1;
    if (copies == 1)
      pending_.insert(pending_.end(), samples.begin(), samples.end());
    else
      for (const float x : samples) pending_.insert(pending_.end(), static_cast<std::size_t>(copies), x);
  }

  void emit_blocks(Output& out) {
    if (out_rate_ == 0) return;
    const std::size_t block = block_frames_ * static_cast<std::size_t>(out_channels_);
    std::size_t at = 0;
    for (; pending_.size() - at >= block; at += block) emit(out, at, block);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  /// Everything that is left, once the input has ended.
  void end(Output& out) {
    ended_ = true;
    if (out_rate_ == 0) return;
    if (resampler_) {
      resampled_.clear();
      resampler_->finish(resampled_);
      append(resampled_);
    }
    emit_blocks(out);
    if (!pending_.empty()) emit(out, 0, pending_.size());
    pending_.clear();
    resampler_.reset();
  }

  void emit(Output& out, std::size_t at, std::size_t size) {
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(at);
    auto packet = Packet::of<Audio>(duration_of(frame_, out_rate_),
                                    std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size)),
                                    out_channels_, out_rate_);
    frame_ += static_cast<std::int64_t>(size / static_cast<std::size_t>(out_channels_));
    packet.duration = duration_of(frame_, out_rate_) - packet.time;
    out.emit(std::move(packet));
  }

  ByteWindow in_;
  std::string format_;
  int want_rate_, want_channels_;
  Duration block_;
  RawLayout raw_;
  std::unique_ptr<AudioDecoder> decoder_;
  std::optional<Resampler> resampler_;
  bool ended_ = false;
  int in_rate_ = 0, in_channels_ = 0, out_channels_ = 0, out_rate_ = 0;  ///< 0 until the first samples
  std::size_t block_frames_ = 0;
  std::vector<float> decoded_, resampled_, pending_;
  std::int64_t frame_ = 0;  ///< index of pending_'s first frame, at out_rate_
};

}  // namespace stream
