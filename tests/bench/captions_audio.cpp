#include "captions_audio.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "compare.hpp"

namespace stream::bench {
namespace {

/// Little-endian, as RIFF wants it.
template <typename T>
void append(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

std::string wav_header(std::uint32_t data_bytes) {
  std::string h = "RIFF";
  append(h, std::uint32_t{36} + data_bytes);
  h += "WAVEfmt ";
  append(h, std::uint32_t{16});
  append(h, std::uint16_t{1});  // PCM
  append(h, std::uint16_t{1});  // one channel
  append(h, static_cast<std::uint32_t>(kSpeechRate));
  append(h, static_cast<std::uint32_t>(kSpeechRate * 2));
  append(h, std::uint16_t{2});
  append(h, std::uint16_t{16});
  h += "data";
  append(h, data_bytes);
  return h;
}

}  // namespace

std::vector<float> example_speech() {
  const testing::ScratchFolder scratch;
  const std::string recipe = (scratch / "decode.toml").string(), raw = (scratch / "speech.f32").string();
  testing::write_contents(recipe,
                          "[nodes.speech]\nuse = \"audio.read\"\npath = \"-\"\nrate = 16000\nchannels = 1\n"
                          "[nodes.raw]\nuse = \"audio.write\"\nfrom = \"speech\"\npath = \"-\"\nformat = "
                          "\"raw\"\nencoding = \"f32le\"\n");
  const std::string numbers = STREAM_SOURCE_DIR "/share/examples/numbers.flac";
  run_or_throw({.argv = {stream_program(), "run", recipe, "-i", numbers, "-o", raw}, .input = ""});
  const std::string bytes = testing::contents(raw);
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  if (samples.empty()) throw std::runtime_error("share/examples/numbers.flac holds no sound");
  return samples;
}

void write_speech(const std::string& path, std::size_t seconds) {
  const std::vector<float> speech = example_speech();
  const std::size_t count = seconds * kSpeechRate;
  std::string file = wav_header(static_cast<std::uint32_t>(count * 2));
  file.reserve(file.size() + count * 2);
  for (std::size_t i = 0; i < count; ++i) {
    const float x = std::clamp(speech[i % speech.size()], -1.0f, 1.0f);
    append(file, static_cast<std::uint16_t>(static_cast<std::int16_t>(std::lround(x * 32767.0f))));
  }
  testing::write_contents(path, file);
}

}  // namespace stream::bench
