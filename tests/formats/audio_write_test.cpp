#include "audio_write.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "audio_files.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;

/// Packets of unequal lengths that hold `samples` in order.
std::vector<Packet> packets_of(const std::vector<float>& samples, int channels, int rate) {
  std::vector<Packet> packets;
  Random random(4);
  std::int64_t frame = 0;
  for (std::size_t at = 0; at < samples.size();) {
    const std::size_t size =
        std::min(samples.size() - at, (1 + random.below(700)) * static_cast<std::size_t>(channels));
    packets.push_back(
        Packet::of<Audio>(duration_of(frame, rate),
                          std::vector<float>(samples.begin() + static_cast<std::ptrdiff_t>(at),
                                             samples.begin() + static_cast<std::ptrdiff_t>(at + size)),
                          channels, rate));
    at += size;
    frame += static_cast<std::int64_t>(size) / channels;
  }
  return packets;
}

void write_audio(const Object& params, const std::vector<Packet>& packets) {
  const auto op = testing::make<AudioWrite>(params);
  testing::run(*op, packets);
  dynamic_cast<Sink&>(*op).flush();
}

TEST(AudioWrite, LibsndfileReadsWhatIsWritten) {
  const auto samples = some_audio(12345, 2);
  const struct {
    const char *suffix, *encoding;
    double tolerance;
  } cases[] = {{".wav", "s16le", 0.51 / 32768},
               {".wav", "s24le", 0.51 / (1 << 23)},
               {".wav", "s32le", 1e-7},
               {".wav", "f32le", 0},
               {".flac", "s16le", 0.51 / 32768},
               {".flac", "s24le", 0.51 / (1 << 23)},
               {".ogg", "s16le", 0.2}};
  for (const auto& c : cases) {
    const laws::ScratchFile file({}, c.suffix);
    write_audio({{"path", file.path()}, {"encoding", c.encoding}}, packets_of(samples, 2, 44100));
    const Sound found = sndfile_read(file.path());
    EXPECT_EQ(found.rate, 44100);
    EXPECT_EQ(found.channels, 2);
    ASSERT_EQ(found.samples.size(), samples.size()) << c.suffix;
    for (std::size_t i = 0; i < samples.size(); ++i)
      ASSERT_NEAR(found.samples[i], samples[i], c.tolerance) << c.suffix << i;
    // And so do we, from a pipe as well.
    EXPECT_EQ(read_audio(file.path()).samples, found.samples) << c.suffix;
    const laws::FedPipe pipe(file.read(), 1000);
    EXPECT_EQ(read_audio(pipe.path()).samples, found.samples) << c.suffix;
  }
}

TEST(AudioWrite, EqualAudioGivesEqualBytes) {
  for (const char* suffix : {".wav", ".flac", ".ogg"}) {
    const laws::ScratchFile a({}, suffix), b({}, suffix);
    write_audio({{"path", a.path()}}, packets_of(some_audio(5000, 1), 1, 16000));
    write_audio({{"path", b.path()}}, packets_of(some_audio(5000, 1), 1, 16000));
    EXPECT_EQ(a.read(), b.read()) << suffix;
  }
}

TEST(AudioWrite, WavAndRawResumeAtEveryPacketByteForByte) {
  const auto packets = packets_of(some_audio(3001, 1), 1, 8000);
  for (const char* encoding : {"s16le", "s24le"}) {
    for (const char* suffix : {".wav", ".raw"}) {
      const laws::ScratchFile whole({}, suffix);
      write_audio({{"path", whole.path()}, {"encoding", encoding}}, packets);
      for (std::size_t stop = 0; stop <= packets.size(); ++stop) {
        const laws::ScratchFile file({}, suffix);
        const Object params{{"path", file.path()}, {"encoding", encoding}};
        testing::Collector none;
        Archive state;
        {
          const auto op = testing::make<AudioWrite>(params);
          for (std::size_t i = 0; i < stop; ++i) op->process(packets[i], none);
          dynamic_cast<Sink&>(*op).flush();
          state = testing::saved(*op);
          if (stop < packets.size()) op->process(packets[stop], none);
          dynamic_cast<Sink&>(*op).flush();
        }
        const auto op = testing::make<AudioWrite>(params);
        op->load(state);
        for (std::size_t i = stop; i < packets.size(); ++i) op->process(packets[i], none);
        op->finish(none);
        dynamic_cast<Sink&>(*op).flush();
        ASSERT_EQ(file.read(), whole.read()) << stop;
      }
    }
  }
}

TEST(AudioWrite, FlacAndOggRefuseCheckpoints) {
  for (const char* suffix : {".flac", ".ogg"}) {
    const laws::ScratchFile file({}, suffix);
    const auto op = testing::make<AudioWrite>({{"path", file.path()}});
    Archive state;
    EXPECT_THROW(op->save(state), Error);
  }
}

TEST(AudioWrite, AnEmptyStreamIsAReadableFile) {
  for (const char* suffix : {".wav", ".flac", ".ogg"}) {
    const laws::ScratchFile file({}, suffix);
    write_audio({{"path", file.path()}}, {});
    EXPECT_EQ(sndfile_read(file.path()).samples.size(), 0u) << suffix;
  }
}

TEST(AudioWrite, RefusesNumbersThatAreNoneAndChangesOfLayout) {
  const laws::ScratchFile file({}, ".wav");
  const Object params{{"path", file.path()}};
  auto packets = packets_of(some_audio(100, 1), 1, 8000);
  packets.resize(1);
  packets.push_back(Packet::of<Audio>(Time{1'000'000'000}, std::vector<float>{0.f, INFINITY}, 1, 8000));
  try {
    write_audio(params, packets);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("no finite number at 1.000125s"));
  }
  packets[1] = Packet::of<Audio>(Time{1'000'000'000}, std::vector<float>{0.f, 0.f}, 2, 8000);
  try {
    write_audio(params, packets);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("2 channels at 8000 Hz at 1s"));
  }
}

TEST(AudioWrite, APipeGetsAHeaderWithOpenSizes) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  write_audio({{"path", "/dev/fd/" + std::to_string(ends[1])}}, packets_of(some_audio(100, 1), 1, 8000));
  std::string bytes(1000, '\0');
  bytes.resize(static_cast<std::size_t>(::read(ends[0], bytes.data(), bytes.size())));
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_EQ(bytes.size(), 244u);
  EXPECT_EQ(bytes.substr(40, 4), "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(read_audio_of(bytes).samples.size(), 100u);
}

}  // namespace
}  // namespace stream
