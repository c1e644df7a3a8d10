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

TEST(Codecs, ACutFlacFrameIsNamedAsOne) {
  const AudioResult found = read_audio_of(flac().substr(0, flac().size() - 100));
  EXPECT_THAT(found.error, HasSubstr("only part of a FLAC frame; the input ends at byte " +
                                     std::to_string(flac().size() - 100)));
}

/// The MD5 of the audio stands at bytes 26 to 41.
TEST(Codecs, FlacWithAnotherMd5IsRefusedAfterAllOfIt) {
  const auto whole = read_audio_of(flac()).samples;
  std::string other = flac();
  other[41] = static_cast<char>(other[41] ^ 1);
  const AudioResult found = read_audio_of(other);
  EXPECT_EQ(found.code, ExitCode::kBadData);
  EXPECT_THAT(found.error, HasSubstr("byte 26: the header states "));
  EXPECT_EQ(found.samples, whole);
  std::string none = flac();
  std::fill(none.begin() + 26, none.begin() + 42, '\0');
  EXPECT_EQ(read_audio_of(none).error, "") << "an encoder to a pipe leaves it open";
}

TEST(Codecs, TheMd5IsCheckedAcrossAStop) {
  std::string other = flac();
  other[41] = static_cast<char>(other[41] ^ 1);
  for (const auto& [bytes, fine] :
       {std::pair{&flac(), true}, {static_cast<const std::string*>(&other), false}}) {
    const laws::ScratchFile file(*bytes);
    testing::Collector out;
    auto source = maker(file.path())();
    for (int i = 0; i < 3; ++i) source->read(out);
    const Archive state = testing::saved(*source);
    source = maker(file.path())();
    source->load(state);
    const auto rest = [&] {
      while (source->read(out)) {
      }
    };
    if (fine)
      EXPECT_NO_THROW(rest());
    else
      EXPECT_THROW(rest(), Error);
  }
}

TEST(Codecs, OnlyTheFirstOfChainedStreamsIsRead) {
  const auto first = read_audio_of(ogg()).samples;
  for (const std::size_t cut : {ogg().size(), std::size_t{4}, std::size_t{2}}) {
    const AudioResult found = read_audio_of(ogg() + ogg().substr(0, cut));
    EXPECT_EQ(found.code, ExitCode::kBadData);
    EXPECT_EQ(found.samples, first);
    EXPECT_THAT(found.error,
                HasSubstr("byte " + std::to_string(ogg().size()) + ": " +
                          (cut < 4 ? "something that is not Ogg follows" : "a second stream begins here")));
  }
}

TEST(Codecs, OtherFormatsAreNamedAndHowToConvertThem) {
  const std::string opus = sndfile_bytes(SF_FORMAT_OGG | SF_FORMAT_OPUS, some_audio(4800, 1), 1, 48000);
  EXPECT_THAT(read_audio_of(opus).error,
              HasSubstr("Opus in Ogg is not read, only Vorbis is; ffmpeg converts it: "));
  const std::pair<std::string, const char*> kinds[] = {
      {"ID3\x04 and so on, for a while", "is MP3, "},
      {"\xFF\xFB\x90\x64" + std::string(40, '\0'), "is MP3, "},
      {"\xFF\xF1\x50\x80" + std::string(40, '\0'), "is AAC, "},
      {std::string("\0\0\0\x20", 4) + "ftypM4A and so on", "is MP4, "},
      {sndfile_bytes(SF_FORMAT_AIFF | SF_FORMAT_PCM_16, some_audio(100, 1), 1, 16000), "is AIFF, "},
      {sndfile_bytes(SF_FORMAT_AU | SF_FORMAT_PCM_16, some_audio(100, 1), 1, 16000), "is Sun AU, "},
      {sndfile_bytes(SF_FORMAT_CAF | SF_FORMAT_PCM_16, some_audio(100, 1), 1, 16000),
       "is Core Audio Format, "},
      {sndfile_bytes(SF_FORMAT_W64 | SF_FORMAT_PCM_16, some_audio(100, 1), 1, 16000), "is Sony Wave64, "},
      {"\x1A\x45\xDF\xA3 and so on", "is Matroska or WebM, "}};
  for (const auto& [bytes, says] : kinds) {
    const AudioResult found = read_audio_of(bytes);
    EXPECT_EQ(found.code, ExitCode::kBadData);
    EXPECT_THAT(found.error, HasSubstr(says));
    EXPECT_THAT(found.error, HasSubstr("ffmpeg -i /"));
  }
}

TEST(Codecs, TheCommandThatConvertsCanBePasted) {
  EXPECT_EQ(conversion("stdin"), "; ffmpeg converts it: ffmpeg -i - -f wav - | stream run RECIPE -i -");
  EXPECT_THAT(conversion("a song.mp3"), HasSubstr(" -i 'a song.mp3' -f wav"));
  EXPECT_THAT(conversion("it's.mp3"), HasSubstr(" -i 'it'\\''s.mp3' -f wav"));
  EXPECT_THAT(conversion("-f.mp3"), HasSubstr(" -i './-f.mp3' -f wav"));
}

}  // namespace
}  // namespace stream
