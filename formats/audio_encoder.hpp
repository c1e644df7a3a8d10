/// What turns samples into the bytes of an audio file.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "pcm.hpp"
#include "stream/file.hpp"

namespace stream {

/// begin, write any number of times, finish. Throws what OutputFile throws.
class AudioEncoder {
 public:
  virtual ~AudioEncoder() = default;
  virtual void begin(int rate, int channels) = 0;
  /// `samples`: whole frames, interleaved, finite.
  virtual void write(std::span<const float> samples) = 0;
  virtual void finish() = 0;
  /// False when what comes next depends on more than the bytes written so far.
  virtual bool resumable() const { return true; }
};

std::unique_ptr<AudioEncoder> make_raw_encoder(OutputFile& out, PcmEncoding encoding);
/// RIFF with sizes left open (0xFFFFFFFF), which `finish` fills in where the output is a file below 4 GiB.
std::unique_ptr<AudioEncoder> make_wav_encoder(OutputFile& out, PcmEncoding encoding);
/// s16le or s24le. STREAMINFO is completed at the end where the output is a file.
std::unique_ptr<AudioEncoder> make_flac_encoder(OutputFile& out, PcmEncoding encoding);
/// Vorbis at a quality of -0.1 to 1.
std::unique_ptr<AudioEncoder> make_ogg_encoder(OutputFile& out, double quality);

}  // namespace stream
