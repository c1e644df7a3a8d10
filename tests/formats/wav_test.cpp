/// audio.read on WAV and raw PCM.
#include <gmock/gmock.h>

#include "audio_files.hpp"
#include "laws.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

std::string number(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string chunk(const std::string& id, const std::string& body) {
  return id + number(static_cast<std::uint32_t>(body.size()), 4) + body + std::string(body.size() % 2, '\0');
}

std::string format(int tag, int channels, int rate, int bits) {
  const int frame = channels * bits / 8;
  return number(static_cast<std::uint32_t>(tag), 2) + number(static_cast<std::uint32_t>(channels), 2) +
         number(static_cast<std::uint32_t>(rate), 4) + number(static_cast<std::uint32_t>(rate * frame), 4) +
         number(static_cast<std::uint32_t>(frame), 2) + number(static_cast<std::uint32_t>(bits), 2);
}

std::string riff(const std::string& chunks, std::uint32_t size) {
  return "RIFF" + number(size, 4) + "WAVE" + chunks;
}

/// 16-bit mono at 8 kHz with `data` as samples.
std::string wav(const std::string& data) {
  const std::string chunks = chunk("fmt ", format(1, 1, 8000, 16)) + chunk("data", data);
  return riff(chunks, static_cast<std::uint32_t>(chunks.size() + 4));
}

TEST(WavRead, AgreesWithLibsndfile) {
  const auto samples = some_audio(5000, 2);
  for (const int encoding : {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32,
                             SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE, SF_FORMAT_ULAW, SF_FORMAT_ALAW}) {
    for (const int container : {SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64}) {
      const laws::ScratchFile file(sndfile_bytes(container | encoding, samples, 2, 22050));
      const Sound expected = sndfile_read(file.path());
      const AudioResult found = read_audio(file.path());
      EXPECT_EQ(found.error, "");
      EXPECT_EQ(found.rate, 22050);
      EXPECT_EQ(found.channels, 2);
      EXPECT_EQ(found.samples, expected.samples) << std::hex << (container | encoding);
    }
  }
}

TEST(WavRead, StampsBlocksExactly) {
  const AudioResult found = read_audio_of(
      sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_PCM_16, some_audio(10000, 1), 1, 44100), {{"block", "10ms"}});
  std::int64_t frame = 0;
  for (const Packet& packet : found.packets) {
    EXPECT_EQ(packet.time, duration_of(frame, 44100));
    const auto frames = static_cast<std::int64_t>(packet.as<Audio>().frames());
    EXPECT_EQ(frames, &packet == &found.packets.back() ? 10000 % 441 : 441);
    frame += frames;
    EXPECT_EQ(packet.time + packet.duration, duration_of(frame, 44100));
  }
  EXPECT_EQ(frame, 10000);
}

TEST(WavRead, PassesOverOtherChunksBeforeAndAfter) {
  const std::string chunks = chunk("JUNK", std::string(100001, 'j')) + chunk("fmt ", format(1, 1, 8000, 16)) +
                             chunk("LIST", "abc") + chunk("data", std::string("\x00\x40\x00\xC0", 4)) +
                             chunk("id3 ", std::string(1000, 'i'));
  const AudioResult found = read_audio_of(riff(chunks, static_cast<std::uint32_t>(chunks.size() + 4)));
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.samples, (std::vector<float>{0.5f, -0.5f}));
}

TEST(WavRead, UnderstandsSizesThatAPipeLeftOpen) {
  for (const auto& [riff_size, data_size] :
       {std::pair{0xFFFFFFFFu, 0xFFFFFFFFu}, {0u, 0u}, {0x7FFFF024u, 0x7FFFF000u}}) {
    const std::string head = chunk("fmt ", format(1, 1, 8000, 16)) + "data" + number(data_size, 4);
    const AudioResult found = read_audio_of(riff(head + std::string(200, '\0'), riff_size));
    EXPECT_EQ(found.error, "");
    EXPECT_EQ(found.samples.size(), 100u);
  }
}

TEST(WavRead, EveryCutIsReportedAfterAllSamplesBeforeIt) {
  std::string data;
  for (int i = 0; i < 20; ++i) data += number(static_cast<std::uint32_t>(i * 1000), 2);
  const std::string whole = wav(data);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const AudioResult found = read_audio_of(whole.substr(0, cut));
    EXPECT_EQ(found.code, ExitCode::kBadData) << cut;
    EXPECT_THAT(found.error, HasSubstr(".audio")) << cut;
    if (cut >= 12) {
      EXPECT_THAT(found.error, HasSubstr("ends")) << cut;
      EXPECT_THAT(found.error, HasSubstr("at byte " + std::to_string(cut))) << cut;
    }
    EXPECT_EQ(found.samples.size(), cut < 44 ? 0 : (cut - 44) / 2) << cut;
  }
  EXPECT_EQ(read_audio_of(whole).error, "");
}

TEST(WavRead, EmptyInputIsAnErrorAndEmptySoundIsNot) {
  EXPECT_THAT(read_audio_of("").error, HasSubstr("is empty: expected audio"));
  EXPECT_THAT(read_audio_of("", {{"format", "wav"}}).error, HasSubstr("is empty: expected audio"));
  const AudioResult silent = read_audio_of(wav(""));
  EXPECT_EQ(silent.error, "");
  EXPECT_TRUE(silent.packets.empty());
}

TEST(WavRead, SaysWhatIsWrongWithAHeader) {
  const std::string data = chunk("data", std::string(8, '\0'));
  const struct {
    std::string bytes, message;
  } cases[] = {
      {"hello, this is text", "neither WAV, FLAC nor Ogg"},
      {riff(data, 100), "before any fmt chunk"},
      {riff(chunk("fmt ", format(2, 1, 8000, 4)) + data, 100), "WAV format 2 with 4 bits is not supported"},
      {riff(chunk("fmt ", format(1, 0, 8000, 16)) + data, 100), "0 channels"},
      {riff(chunk("fmt ", format(1, 65535, 8000, 8)) + data, 100), "65535 channels"},
      {riff(chunk("fmt ", format(1, 1, 0, 16)) + data, 100), "a sample rate of 0 Hz"},
      {riff(chunk("fmt ", format(1, 1, 8000, 16).replace(12, 2, number(3, 2))) + data, 100),
       "contradicts itself"},
      {riff(chunk("fmt ", std::string(5000, '\0')) + data, 100), "is damaged"},
      {"RIFF    AVI " + data, "RIFF ... WAVE"},
  };
  for (const auto& c : cases) {
    const AudioResult found = read_audio_of(c.bytes);
    EXPECT_EQ(found.code, ExitCode::kBadData) << c.message;
    EXPECT_THAT(found.error, HasSubstr(c.message));
  }
}

TEST(WavRead, ASampleThatIsNoNumberIsAnErrorAfterAllBeforeIt) {
  std::vector<float> samples = some_audio(100, 2);
  samples[151] = std::numeric_limits<float>::quiet_NaN();
  const AudioResult found = read_audio_of(sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_FLOAT, samples, 2, 8000));
  EXPECT_EQ(found.code, ExitCode::kBadData);
  EXPECT_THAT(found.error, HasSubstr("no finite number"));
  EXPECT_EQ(found.samples.size(), 150u);
}

TEST(RawRead, TakesTheDeclaredLayout) {
  const AudioResult found = read_audio_of(std::string("\x00\x40\x00\xC0", 4),
                                          {{"format", "raw"}, {"raw_rate", 8000}, {"raw_channels", 2}});
  EXPECT_EQ(found.samples, (std::vector<float>{0.5f, -0.5f}));
  EXPECT_EQ(found.channels, 2);
  EXPECT_EQ(found.rate, 8000);
}

TEST(RawRead, EmptyEndsCleanlyAndPartOfAFrameDoesNot) {
  EXPECT_EQ(read_audio_of("", {{"format", "raw"}}).error, "");
  const AudioResult cut = read_audio_of("abcde", {{"format", "raw"}});
  EXPECT_EQ(cut.samples.size(), 2u);
  EXPECT_EQ(cut.code, ExitCode::kBadData);
  EXPECT_THAT(cut.error, HasSubstr("byte 4: only part of a frame of 2 bytes is left"));
}

TEST(AudioRead, MixesAndDoublesChannels) {
  const auto samples = some_audio(1000, 2);
  const std::string bytes = sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_FLOAT, samples, 2, 8000);
  const AudioResult mono = read_audio_of(bytes, {{"channels", 1}});
  ASSERT_EQ(mono.samples.size(), 1000u);
  for (std::size_t i = 0; i < 1000; ++i)
    EXPECT_FLOAT_EQ(mono.samples[i], (samples[2 * i] + samples[2 * i + 1]) / 2);
  EXPECT_THAT(read_audio_of(bytes, {{"channels", 5}}).error, HasSubstr("2 channels, which cannot become 5"));
  const std::string one = sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_PCM_16, some_audio(10, 1), 1, 8000);
  const AudioResult doubled = read_audio_of(one, {{"channels", 2}});
  ASSERT_EQ(doubled.samples.size(), 20u);
  for (std::size_t i = 0; i < 20; i += 2) EXPECT_EQ(doubled.samples[i], doubled.samples[i + 1]);
}

TEST(AudioRead, ResamplesToTheWantedRate) {
  const AudioResult found = read_audio_of(
      sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_PCM_16, some_audio(44100, 1), 1, 44100), {{"rate", 16000}});
  EXPECT_EQ(found.rate, 16000);
  EXPECT_EQ(found.samples.size(), 16000u);
}

TEST(AudioRead, AWavPipeGivesThePacketsOfTheFile) {
  const std::string bytes = sndfile_bytes(SF_FORMAT_WAV | SF_FORMAT_PCM_24, some_audio(3000, 2), 2, 48000);
  const Object params{{"rate", 16000}, {"channels", 1}};
  const AudioResult expected = read_audio_of(bytes, params);
  for (const std::size_t most : {1, 100, 100000}) {
    const laws::FedPipe pipe(bytes, most);
    EXPECT_EQ(read_audio(pipe.path(), params).samples, expected.samples);
  }
}

}  // namespace
}  // namespace stream
