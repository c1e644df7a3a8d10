/// What turns the bytes of an audio file into samples, forward only.
#pragma once

#include <memory>
#include <vector>

#include "byte_window.hpp"
#include "pcm.hpp"
#include "stream/archive.hpp"

namespace stream {

/// Samples come out in the order of the file, and so do errors: a decoder that meets damage first hands over
/// everything before it, then throws Error(kBadData) that names file and byte.
class AudioDecoder {
 public:
  enum class Status { kData, kEnd, kInterrupted };
  virtual ~AudioDecoder() = default;

  /// Appends at least one frame (interleaved floats) for kData. After kInterrupted, `save` or `decode` may
  /// follow.
  virtual Status decode(std::vector<float>& samples) = 0;
  /// Known once `decode` has returned kData.
  int rate() const { return rate_; }
  int channels() const { return channels_; }

  /// The position after the samples handed over. A decoder that `load`s it gives bit for bit those that would
  /// follow.
  virtual void save(Archive& state) const = 0;
  virtual void load(const Archive& state) = 0;

 protected:
  /// Throws Error(kBadData) unless both are within what any device makes: 1 to 768 000 Hz, 1 to 64 channels.
  void set_layout(const std::string& file, std::int64_t rate, std::int64_t channels);
  int rate_ = 0, channels_ = 0;
};

struct RawLayout {
  PcmEncoding encoding;
  int rate, channels;
};
/// All references must outlive the decoder.
std::unique_ptr<AudioDecoder> make_raw_decoder(ByteWindow& in, RawLayout layout);
std::unique_ptr<AudioDecoder> make_wav_decoder(ByteWindow& in);
std::unique_ptr<AudioDecoder> make_flac_decoder(ByteWindow& in);
std::unique_ptr<AudioDecoder> make_ogg_decoder(ByteWindow& in);

}  // namespace stream
