/// Raw PCM and WAV (RIFF and RF64), also while it is being written to a pipe.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "audio_decoder.hpp"
#include "stream/error.hpp"

namespace stream {

void AudioDecoder::set_layout(const std::string& file, std::int64_t rate, std::int64_t channels) {
  if (rate < 1 || rate > 768'000) {
    throw bad_data(file + ": a sample rate of " + std::to_string(rate) + " Hz is not within 1 to 768000");
  }
  if (channels < 1 || channels > 64) {
    throw bad_data(file + ": " + std::to_string(channels) + " channels are not within 1 to 64");
  }
  rate_ = static_cast<int>(rate);
  channels_ = static_cast<int>(channels);
}

namespace {

constexpr std::uint64_t kUntilEnd = std::numeric_limits<std::uint64_t>::max();
/// Sizes from here on are what writers to pipes put where they cannot know (0xFFFFFFFF, or just below 2 GiB).
constexpr std::uint64_t kUnknownSize = 0x7FFF'0000;
constexpr std::size_t kFramesAtOnce = 4096;

class PcmDecoder : public AudioDecoder {
 public:
  explicit PcmDecoder(ByteWindow& in) : in_(in) {}

  Status decode(std::vector<float>& samples) override {
    if (failure_) throw *failure_;
    if (!ready_) {
      const Status status = read_header();
      if (status != Status::kData) return status;
      ready_ = true;
    }
    const std::size_t frame = size_of(encoding_) * static_cast<std::size_t>(channels_);
    if (remaining_ == 0) return finished();
    const auto status = in_.want(frame);
    if (status == ByteWindow::Status::kInterrupted) return Status::kInterrupted;
    if (in_.view().size() < frame || remaining_ < frame) return cut_short(frame);
    const std::uint64_t bytes =
        std::min<std::uint64_t>({in_.view().size(), remaining_, kFramesAtOnce * frame});
    const std::size_t frames = static_cast<std::size_t>(bytes / frame);
    const std::size_t start = samples.size();
    samples.resize(start + frames * static_cast<std::size_t>(channels_));
    decode_pcm(encoding_, in_.view().data(), std::span(samples).subspan(start));
    const std::size_t good = finite_frames(std::span<const float>(samples).subspan(start));
    if (good < frames) {
      samples.resize(start + good * static_cast<std::size_t>(channels_));
      failure_ = bad_data(in_.name() + ": byte " + std::to_string(in_.offset() + good * frame) +
                          ": a sample that is no finite number");
      if (good == 0) throw *failure_;
    }
    in_.consume(good * frame);
    if (remaining_ != kUntilEnd) remaining_ -= good * frame;
    return Status::kData;
  }

  void save(Archive& state) const override {
    state.set("ready", ready_);
    if (!ready_) return;
    state.set("rate", rate_);
    state.set("channels", channels_);
    state.set("encoding", name_of(encoding_));
    state.set("remaining", remaining_);
    state.set("offset", in_.offset());
  }
  void load(const Archive& state) override {
    ready_ = state.get<bool>("ready");
    if (!ready_) return;
    set_layout(in_.name(), state.get<std::int64_t>("rate"), state.get<std::int64_t>("channels"));
    encoding_ = pcm_encoding(state.get<std::string>("encoding"));
    remaining_ = state.get<std::uint64_t>("remaining");
    in_.resume(state.get<std::uint64_t>("offset"));
  }

 protected:
  /// Leaves rate, channels, encoding_ and remaining_ set and the first sample in front; kData when it has.
  virtual Status read_header() = 0;

  static Status of(ByteWindow::Status status) {
    return status == ByteWindow::Status::kReady ? Status::kData
           : status == ByteWindow::Status::kEnd ? Status::kEnd
                                                : Status::kInterrupted;
  }

  ByteWindow& in_;
  PcmEncoding encoding_ = PcmEncoding::kS16Le;
  std::uint64_t remaining_ = kUntilEnd;  ///< bytes of samples not decoded yet
  bool ready_ = false;

 private:
  Status finished() {
    const auto status = in_.drain();
    return status == ByteWindow::Status::kInterrupted ? Status::kInterrupted : Status::kEnd;
  }

  /// Less than a frame is left of the file or of what its header announced.
  Status cut_short(std::size_t frame) {
    if (remaining_ == kUntilEnd && in_.view().empty()) return Status::kEnd;
    const std::string end = "the input ends at byte " + std::to_string(in_.offset() + in_.view().size());
    if (remaining_ == kUntilEnd || remaining_ < frame) {
      throw bad_data(in_.here() + "only part of a frame of " + std::to_string(frame) + " bytes is left; " +
                     end);
    }
    throw bad_data(in_.here() + end + ", " + std::to_string(remaining_ - in_.view().size()) +
                   " bytes of samples before the end that its header announces");
  }

  std::size_t finite_frames(std::span<const float> samples) const {
    const auto bad = std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
    return static_cast<std::size_t>(bad - samples.begin()) / static_cast<std::size_t>(channels_);
  }

  std::optional<Error> failure_;
};

class RawDecoder final : public PcmDecoder {
 public:
  RawDecoder(ByteWindow& in, RawLayout layout) : PcmDecoder(in) {
    set_layout(in.name(), layout.rate, layout.channels);
    encoding_ = layout.encoding;
  }

 protected:
  Status read_header() override { return Status::kData; }
};

/// Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991), the extensible
/// format, and EBU Tech 3306 (RF64). Chunks other than those needed are passed over, however long.
class WavDecoder final : public PcmDecoder {
 public:
  using PcmDecoder::PcmDecoder;

 protected:
  Status read_header() override {
    if (!opened_) {
      if (const Status s = need(12, "the RIFF header"); s != Status::kData) return s;
      const std::string_view id = in_.view().substr(0, 4);
      if ((id != "RIFF" && id != "RF64") || in_.view().substr(8, 4) != "WAVE") {
        throw bad_data(in_.here() + "expected the header of a WAV file (RIFF ... WAVE)");
      }
      riff_size_ = number(4, 4);
      in_.consume(12);
      opened_ = true;
    }
    for (;;) {
      if (const Status s = pass_over(); s != Status::kData) return s;
      if (const Status s = need(8, "a chunk header (the data chunk is missing)"); s != Status::kData)
        return s;
      const std::string chunk(in_.view().substr(0, 4));
      const std::uint64_t size = number(4, 4);
      if (chunk == "data") {
        if (!described_) throw bad_data(in_.here() + "the data chunk comes before any fmt chunk");
        in_.consume(8);
        remaining_ = size >= kUnknownSize ? kUntilEnd : size;
        if (size == 0xFFFF'FFFF && long_size_ > 0) remaining_ = long_size_;
        if (size == 0 && (riff_size_ == 0 || riff_size_ == 0xFFFF'FFFF)) remaining_ = kUntilEnd;
        return Status::kData;
      }
      if (chunk == "fmt " || chunk == "ds64") {
        if (size < 16 || size > 4096) {
          throw bad_data(in_.here() + "a chunk '" + chunk + "' of " + std::to_string(size) +
                         " bytes is damaged");
        }
        if (const Status s = need(8 + size, "the chunk '" + chunk + "'"); s != Status::kData) return s;
        if (chunk == "ds64")
          long_size_ = number(16, 8);
        else
          described_ = read_format(static_cast<std::size_t>(size));
      }
      chunk_ = printable(chunk);
      chunk_left_ = 8 + size + size % 2;
    }
  }

 private:
  /// What is left of the chunk that was looked at last.
  Status pass_over() {
    const auto status = in_.skip(chunk_left_);
    if (status == ByteWindow::Status::kEnd) {
      throw bad_data(in_.here() + "the input ends inside the chunk '" + chunk_ +
                     "' (the data chunk is missing)");
    }
    return of(status);
  }

  Status need(std::size_t size, const std::string& what) {
    const auto status = in_.want(size);
    if (status == ByteWindow::Status::kEnd) {
      throw bad_data(in_.here() + "the input ends inside " + what + " (at byte " +
                     std::to_string(in_.offset() + in_.view().size()) + ")");
    }
    return of(status);
  }

  std::uint64_t number(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(in_.view()[at + i])} << (8 * i);
    }
    return value;
  }

  static std::string printable(std::string text) {
    for (char& c : text) {
      if (c < ' ' || c > '~') c = '?';
    }
    return text;
  }

  /// The fmt chunk of `size` bytes in front (after its header of 8).
  bool read_format(std::size_t size) {
    std::uint64_t tag = number(8, 2);
    const std::uint64_t bits = number(22, 2), align = number(20, 2);
    if (tag == 0xFFFE && size >= 40)
      tag = number(32, 2);  // extensible: the first two bytes of the sub-format's GUID
    set_layout(in_.name(), static_cast<std::int64_t>(number(12, 4)),
               static_cast<std::int64_t>(number(10, 2)));
    constexpr std::uint64_t kPcm = 1, kFloat = 3, kALawTag = 6, kMuLawTag = 7;
    if (tag == kPcm && bits == 8)
      encoding_ = PcmEncoding::kU8;
    else if (tag == kPcm && bits == 16)
      encoding_ = PcmEncoding::kS16Le;
    else if (tag == kPcm && bits == 24)
      encoding_ = PcmEncoding::kS24Le;
    else if (tag == kPcm && bits == 32)
      encoding_ = PcmEncoding::kS32Le;
    else if (tag == kFloat && bits == 32)
      encoding_ = PcmEncoding::kF32Le;
    else if (tag == kFloat && bits == 64)
      encoding_ = PcmEncoding::kF64Le;
    else if (tag == kALawTag && bits == 8)
      encoding_ = PcmEncoding::kALaw;
    else if (tag == kMuLawTag && bits == 8)
      encoding_ = PcmEncoding::kMuLaw;
    else {
      throw bad_data(in_.here() + "WAV format " + std::to_string(tag) + " with " + std::to_string(bits) +
                     " bits is not supported: PCM (8 to 32 bits), float, A-law and mu-law are");
    }
    if (align != size_of(encoding_) * static_cast<std::size_t>(channels_)) {
      throw bad_data(in_.here() + "the fmt chunk contradicts itself: " + std::to_string(align) +
                     " bytes for a frame of " + std::to_string(channels_) + " samples of " +
                     std::to_string(bits) + " bits");
    }
    return true;
  }

  // How far the header has been read: a read may be interrupted anywhere in it.
  bool opened_ = false, described_ = false;
  std::uint64_t riff_size_ = 0;
  std::uint64_t long_size_ = 0;   ///< of the data chunk, from RF64's ds64
  std::string chunk_;             ///< the name of the chunk that is passed over, and
  std::uint64_t chunk_left_ = 0;  ///< its bytes still to come
};

}  // namespace

std::unique_ptr<AudioDecoder> make_raw_decoder(ByteWindow& in, RawLayout layout) {
  return std::make_unique<RawDecoder>(in, layout);
}
std::unique_ptr<AudioDecoder> make_wav_decoder(ByteWindow& in) { return std::make_unique<WavDecoder>(in); }

}  // namespace stream
