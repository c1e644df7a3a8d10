/// Audio for tests: made, read through audio.read, and judged by libsndfile.
#pragma once

#include <sndfile.h>

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "audio_read.hpp"
#include "fed_pipe.hpp"
#include "stream/testing.hpp"

namespace stream {

/// Interleaved frames of a chirp in each channel, with some noise.
inline std::vector<float> some_audio(std::size_t frames, int channels, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> samples;
  for (std::size_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      const double t = static_cast<double>(i) / 16000;
      samples.push_back(
          static_cast<float>(0.4 * std::sin(2 * std::numbers::pi * (300 + 100 * c + 500 * t) * t) +
                             0.01 * random.uniform(-1, 1)));
    }
  }
  return samples;
}

/// A whole file of `format` (SF_FORMAT_...), as libsndfile writes it.
inline std::string sndfile_bytes(int format, const std::vector<float>& samples, int channels, int rate) {
  const laws::ScratchFile file;
  SF_INFO info{
      .frames = 0, .samplerate = rate, .channels = channels, .format = format, .sections = 0, .seekable = 0};
  SNDFILE* out = sf_open(file.path().c_str(), SFM_WRITE, &info);
  if (!out) throw std::runtime_error(sf_strerror(nullptr));
  sf_command(out, SFC_SET_CLIPPING, nullptr, SF_TRUE);
  sf_writef_float(out, samples.data(), static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(out);
  return file.read();
}

struct Sound {
  int rate = 0, channels = 0;
  std::vector<float> samples;
};

/// What libsndfile reads from a file.
inline Sound sndfile_read(const std::string& path) {
  SF_INFO info{};
  SNDFILE* in = sf_open(path.c_str(), SFM_READ, &info);
  if (!in) throw std::runtime_error(sf_strerror(nullptr));
  Sound sound{info.samplerate, info.channels, {}};
  std::vector<float> block(static_cast<std::size_t>(info.channels) * 1000);
  for (sf_count_t n; (n = sf_readf_float(in, block.data(), 1000)) > 0;) {
    sound.samples.insert(sound.samples.end(), block.begin(), block.begin() + n * info.channels);
  }
  sf_close(in);
  return sound;
}

/// What audio.read makes of a file, up to its end or the error that it ends with.
struct AudioResult : Sound {
  std::vector<Packet> packets;
  std::string error;
  ExitCode code = ExitCode::kOk;
};

inline AudioResult read_audio(const std::string& path, Object params = {}) {
  params.set("path", path);
  testing::Collector out;
  AudioResult result;
  try {
    const auto op = testing::make<AudioRead>(params);
    while (dynamic_cast<Source&>(*op).read(out)) {
    }
  } catch (const Error& e) {
    result.error = e.what();
    result.code = e.code();
  }
  for (const Packet& packet : out.packets[0]) {
    const auto& audio = packet.as<Audio>();
    result.rate = audio.rate();
    result.channels = audio.channels();
    result.samples.insert(result.samples.end(), audio.samples().begin(), audio.samples().end());
  }
  result.packets = std::move(out.packets[0]);
  return result;
}

inline AudioResult read_audio_of(const std::string& bytes, const Object& params = {}) {
  const laws::ScratchFile file(bytes, ".audio");
  return read_audio(file.path(), params);
}

}  // namespace stream
