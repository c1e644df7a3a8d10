/// Live captions as a user runs them.
#include "captions_audio.hpp"
#include "captions_hour.hpp"
#include "compare.hpp"

namespace stream::bench {
namespace {

constexpr std::size_t kSeconds = 300;

/// Seconds for `kSeconds` of speech on one core, start-up included.
double captions_seconds(const std::string& audio, const std::vector<std::string>& more = {}) {
  testing::Program p{.argv = {"taskset", "-c", "0", stream_program(), "run", "captions", "-i", audio, "-o",
                              audio + ".jsonl", "--threads", "1"},
                     .input = ""};
  p.argv.insert(p.argv.end(), more.begin(), more.end());
  return run_or_throw(std::move(p)).wall_seconds;
}

std::vector<Row> realtime_factor() {
  const testing::ScratchFolder scratch;
  const std::string audio = (scratch / "speech.wav").string();
  write_speech(audio, kSeconds);
  const Comparison c = compare(
      3, [&] { return captions_seconds(audio); }, [] { return static_cast<double>(kSeconds); });
  return {row("captions of 5 minutes on one core (real-time factor)", "the audio's length", "s", c, 0.1)};
}

/// Throughput, so that a run takes many checkpoints and the ones at its two ends do not decide: three
/// quarters of an hour of speech are some seven seconds.
std::vector<Row> checkpoints() {
  constexpr std::size_t kLong = 9 * kSeconds;
  const testing::ScratchFolder scratch;
  const std::string audio = (scratch / "speech.wav").string(),
                    checkpoint = (scratch / "run.checkpoint").string();
  write_speech(audio, kLong);
  const Comparison c = compare(
      5,
      [&] {
        return captions_seconds(audio, {"--checkpoint", checkpoint, "--every", "1s"});
      },
      [&] { return captions_seconds(audio); });
  return {row("captions, checkpoint every second", "captions without", "s", c, 1.02)};
}

}  // namespace

std::vector<Benchmark> captions_benchmarks() {
  return {{"captions", "real-time factor of captions", realtime_factor},
          {"checkpoint", "cost of a checkpoint every second", checkpoints},
          {"hour", "a chunk after an hour against one of the first minute", captions_after_an_hour}};
}

}  // namespace stream::bench
