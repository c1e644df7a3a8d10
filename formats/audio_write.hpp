/// audio.write: audio to a file or pipe.
#pragma once

#include <algorithm>
#include <cmath>

#include "audio_encoder.hpp"
#include "stream/delivery.hpp"
#include "stream/plugin.hpp"

namespace stream {

class AudioWrite final : public Sink, public Delivery {
 public:
  static Spec spec() {
    return Spec{"audio.write", "Write audio (WAV, FLAC, Ogg Vorbis, raw PCM) to a file or stdout."}
        .input<Audio>("in", "packets of one rate and number of channels, written one after the other")
        .path("path", "-", "file to write; - is stdout")
        .param("format", "auto", "container; auto goes by the ending of the path, and is wav otherwise",
               choices({"auto", "wav", "flac", "ogg", "raw"}))
        .param("encoding", "s16le", "sample encoding (wav, raw: any; flac: s16le or s24le; ogg: not used)",
               choices({"s16le", "s24le", "s32le", "f32le"}))
        .param("quality", 0.5, "of Ogg Vorbis, from small files to good sound", range(-0.1, 1.0))
        .about(
            "Integer samples are rounded to nearest and held within their range. The header of a WAV file "
            "leaves its sizes "
            "open (0xFFFFFFFF, which readers take as \"until the end\") until the stream ends; on a pipe, "
            "and beyond 4 GiB, they "
            "stay so. A stream without a packet gives the header of mono audio at 16 kHz. A sample that is "
            "no finite number, or "
            "a change of rate or channels, ends the run with exit code 65.\n\n"
            "WAV and raw PCM resume exactly: a checkpoint records the bytes written, and the file is cut "
            "back to them (a pipe gets them again: see delivery(7)). The "
            "encoders of FLAC and Ogg Vorbis hold state that cannot be written down, so a run that writes "
            "them refuses to take "
            "checkpoints: write WAV and convert it afterwards.")
        .contract({.order = Order::kStateful})
        .example("Convert anything to FLAC",
                 "[nodes.in]\nuse  = \"audio.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"audio.write\"\nfrom = \"in\"\npath = \"out.flac\"\n");
  }

  explicit AudioWrite(const Params& p) : file_(p.get<std::string>("path")) {
    const PcmEncoding encoding = pcm_encoding(p.get<std::string>("encoding"));
    std::string format = p.get<std::string>("format");
    if (format == "auto") format = format_of(p.get<std::string>("path"));
    if (format == "flac" && size_of(encoding) > 3) {
      throw bad_recipe("encoding = \"" + p.get<std::string>("encoding") +
                       "\" does not go into FLAC: s16le and s24le do");
    }
    encoder_ = format == "flac"  ? make_flac_encoder(file_, encoding)
               : format == "ogg" ? make_ogg_encoder(file_, p.get<double>("quality"))
               : format == "raw" ? make_raw_encoder(file_, encoding)
                                 : make_wav_encoder(file_, encoding);
  }

  void process(Packet in, Output&) override {
    const auto& audio = in.as<Audio>();
    const auto bad = std::find_if(audio.samples().begin(), audio.samples().end(),
                                  [](float x) { return !std::isfinite(x); });
    if (bad != audio.samples().end()) {
      const auto frame = (bad - audio.samples().begin()) / audio.channels();
      throw bad_data("a sample that is no finite number at " +
                     to_string(in.time + duration_of(frame, audio.rate())));
    }
    if (rate_ == 0) begin(audio.rate(), audio.channels());
    if (audio.rate() != rate_ || audio.channels() != channels_) {
      throw bad_data("audio of " + describe(audio.rate(), audio.channels()) + " at " + to_string(in.time) +
                     " in a stream of " + describe(rate_, channels_));
    }
    encoder_->write(audio.samples());
    if (file_.interactive()) file_.flush();
  }

  void finish(Output&) override {
    if (rate_ == 0) begin(16000, 1);
    encoder_->finish();
  }

  void flush() override { file_.flush(); }
  void sync() override { file_.sync(); }
  void save(Archive& state) const override {
    if (!encoder_->resumable()) {
      throw bad_recipe("FLAC and Ogg cannot be resumed, so no checkpoint can be taken while writing " +
                       file_.name() + ": write WAV, or run without --checkpoint");
    }
    state.set("offset", file_.offset());
    state.set("rate", rate_);
    state.set("channels", channels_);
  }
  void load(const Archive& state) override {
    file_.resume_at(state.get<std::uint64_t>("offset"));
    rate_ = state.get<int>("rate");
    channels_ = state.get<int>("channels");
  }
  std::optional<std::uint64_t> delivered() const override {
    return file_.irrevocable() ? std::optional(file_.offset()) : std::nullopt;
  }
  void skip_delivered(std::uint64_t bytes) override { file_.skip_delivered(bytes); }

 private:
  static std::string format_of(const std::string& path) {
    for (const char* format : {"flac", "ogg", "raw"}) {
      if (path.ends_with("." + std::string(format))) return format;
    }
    return path.ends_with(".pcm") ? "raw" : path.ends_with(".oga") ? "ogg" : "wav";
  }
  static std::string describe(int rate, int channels) {
    return std::to_string(channels) + (channels == 1 ? " channel at " : " channels at ") +
           std::to_string(rate) + " Hz";
  }
  void begin(int rate, int channels) {
    encoder_->begin(rate, channels);
    rate_ = rate;
    channels_ = channels;
  }

  OutputFile file_;
  std::unique_ptr<AudioEncoder> encoder_;
  int rate_ = 0, channels_ = 0;  ///< 0 until the first packet
};

}  // namespace stream
