/// audio.read on FLAC and Ogg Vorbis.
#include <gmock/gmock.h>

#include "audio_files.hpp"
#include "laws.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

const std::string& flac() {
  static const std::string bytes =
      sndfile_bytes(SF_FORMAT_FLAC | SF_FORMAT_PCM_16, some_audio(30000, 2), 2, 44100);
  return bytes;
}
const std::string& ogg() {
  static const std::string bytes =
      sndfile_bytes(SF_FORMAT_OGG | SF_FORMAT_VORBIS, some_audio(30000, 1), 1, 16000);
  return bytes;
}

std::function<std::unique_ptr<Source>()> maker(const std::string& path, Object params = {}) {
  params.set("path", path);
  return [params] {
    auto op = testing::make<AudioRead>(params);
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

TEST(Codecs, AgreeWithLibsndfile) {
  for (const std::string* bytes : {&flac(), &ogg()}) {
    const laws::ScratchFile file(*bytes);
    const Sound expected = sndfile_read(file.path());
    const AudioResult found = read_audio(file.path());
    EXPECT_EQ(found.error, "");
    EXPECT_EQ(found.rate, expected.rate);
    EXPECT_EQ(found.channels, expected.channels);
    EXPECT_EQ(found.samples, expected.samples);
  }
  const laws::ScratchFile deep(
      sndfile_bytes(SF_FORMAT_FLAC | SF_FORMAT_PCM_24, some_audio(5000, 1), 1, 96000));
  EXPECT_EQ(read_audio(deep.path()).samples, sndfile_read(deep.path()).samples);
}

TEST(Codecs, APipeGivesThePacketsOfTheFile) {
  for (const std::string* bytes : {&flac(), &ogg()}) {
    const AudioResult expected = read_audio_of(*bytes, {{"rate", 8000}});
    for (const std::size_t most : {1, 100, 100000}) {
      const laws::FedPipe pipe(*bytes, most);
      const AudioResult found = read_audio(pipe.path(), {{"rate", 8000}});
      EXPECT_EQ(found.error, "");
      EXPECT_EQ(found.samples, expected.samples) << most;
    }
  }
}

TEST(Codecs, ResumeToTheBit) {
  const laws::ScratchFile flac_file(flac()), ogg_file(ogg());
  EXPECT_NO_THROW(laws::resuming_a_source_is_exact(maker(flac_file.path())));
  EXPECT_NO_THROW(
      laws::resuming_a_source_is_exact(maker(flac_file.path(), {{"rate", 16000}, {"channels", 1}})));
  EXPECT_NO_THROW(laws::resuming_a_source_is_exact(maker(ogg_file.path())));
  EXPECT_NO_THROW(laws::resuming_a_source_is_exact(maker(ogg_file.path(), {{"rate", 44100}})));
}

/// A checkpoint wakes a source that waits for its input, wherever in the file that is.
TEST(Codecs, AReadThatWasInterruptedGoesOn) {
  const auto sound = some_audio(6000, 2);
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAVEX | SF_FORMAT_PCM_24,
                           SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS}) {
    const laws::ScratchFile file(sndfile_bytes(format, sound, 2, 44100));
    const AudioResult expected = read_audio(file.path());
    for (const std::size_t piece : {1, 3, 1000}) {
      const auto op = testing::make<AudioRead>({{"path", file.path()}});
      auto& source = dynamic_cast<Source&>(*op);
      testing::Collector out;
      {
        const laws::InterruptedReads reads(source, piece, 5);
        while (source.read(out)) {
        }
        EXPECT_GE(reads.reads(), 5u);
      }
      std::vector<float> samples;
      for (const Packet& packet : out.packets[0]) {
        const auto part = packet.as<Audio>().samples();
        samples.insert(samples.end(), part.begin(), part.end());
      }
      EXPECT_EQ(samples, expected.samples) << "format " << format << ", pieces of " << piece;
    }
  }
}

/// Cut anywhere: an error that names the file, and no sample that the whole file does not have there.
TEST(Codecs, EveryCutIsReportedAfterWhatWasDecodedBeforeIt) {
  for (const std::string* bytes : {&flac(), &ogg()}) {
    const auto whole = read_audio_of(*bytes).samples;
    for (std::size_t cut = 1; cut < bytes->size(); cut += cut < 200 ? 1 : 211) {
      const AudioResult found = read_audio_of(bytes->substr(0, cut));
      ASSERT_EQ(found.code, ExitCode::kBadData) << cut;
      EXPECT_THAT(found.error, HasSubstr(".audio")) << cut;
      ASSERT_LE(found.samples.size(), whole.size());
      ASSERT_TRUE(std::equal(found.samples.begin(), found.samples.end(), whole.begin())) << cut;
    }
    EXPECT_GT(read_audio_of(bytes->substr(0, bytes->size() - 10)).samples.size(), whole.size() / 2);
  }
}

TEST(Codecs, DamageInTheMiddleIsReportedWhereItIs) {
  for (const std::string* bytes : {&flac(), &ogg()}) {
    const auto whole = read_audio_of(*bytes).samples;
    std::string damaged = *bytes;
    const std::size_t at = damaged.size() * 3 / 4;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const AudioResult found = read_audio_of(damaged);
    EXPECT_EQ(found.code, ExitCode::kBadData);
    EXPECT_THAT(found.error, HasSubstr("byte "));
    EXPECT_LT(found.samples.size(), whole.size());
    EXPECT_TRUE(std::equal(found.samples.begin(), found.samples.end(), whole.begin()));
  }
}

TEST(Codecs, OpusIsNamedAsWhatIsMissing) {
  const std::string opus = sndfile_bytes(SF_FORMAT_OGG | SF_FORMAT_OPUS, some_audio(4800, 1), 1, 48000);
  EXPECT_THAT(read_audio_of(opus).error, HasSubstr("Opus in Ogg is not supported"));
}

}  // namespace
}  // namespace stream
