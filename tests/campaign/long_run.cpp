/// An hour's stream at accelerated pace under --max-time, with a checkpoint every second. What an hour leaves
/// behind is compared with a program that has just been started, fed in turn with the same bytes: both see
/// the same machine at the same time.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "live_program.hpp"
#include "stream/value.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

using Clock = LiveProgram::Clock;
using Seconds = std::chrono::duration<double>;

/// A stream in pieces: the bytes of piece i, which belong to i * kPiece of stream time.
class Stream {
 public:
  static constexpr double kPiece = 0.08;          // seconds of stream time
  static constexpr std::size_t kPieces = 45'000;  // an hour
  virtual ~Stream() = default;
  virtual std::string piece(std::size_t index) const = 0;
  /// The piece that an output line answers.
  virtual std::optional<std::size_t> answered(std::string_view line) const = 0;
  virtual std::string recipe() const = 0;
  virtual const char* name() const = 0;
};

class TextStream final : public Stream {
 public:
  std::string piece(std::size_t index) const override {
    std::string text;
    for (int i = 0; i < kLines; ++i)
      text += std::to_string(index) + " line " + std::to_string(i) + " of a text that goes on for an hour\n";
    return text;
  }
  std::optional<std::size_t> answered(std::string_view line) const override {
    return std::strtoull(std::string(line.substr(0, 12)).c_str(), nullptr, 10);
  }
  std::string recipe() const override {
    return "[nodes.in]\nuse = \"text.read\"\npath = \"-\"\n"
           "[nodes.record]\nuse = \"text.to_record\"\nfrom = \"in\"\n"
           "[nodes.text]\nuse = \"record.to_text\"\nfrom = \"record\"\n"
           "[nodes.out]\nuse = \"text.write\"\nfrom = \"text\"\npath = \"-\"\n";
  }
  const char* name() const override { return "text"; }

 private:
  static constexpr int kLines = 8;  // a hundred lines a second
};

/// The example's speech, over and over, as raw samples.
class SpeechStream final : public Stream {
 public:
  SpeechStream() {
    const testing::ScratchFolder scratch;
    testing::write_contents(scratch / "decode.toml",
                            "[nodes.speech]\nuse = \"audio.read\"\npath = \"-\"\nrate = 16000\nchannels = 1\n"
                            "[nodes.raw]\nuse = \"audio.write\"\nfrom = \"speech\"\nformat = \"raw\"\n");
    samples_ = testing::run({.argv = {kStream, "run", (scratch / "decode.toml").string()},
                             .input = "",
                             .input_file = STREAM_SOURCE_DIR "/share/examples/numbers.flac"})
                   .out;
    samples_.resize(samples_.size() / kBytes * kBytes);
    if (samples_.empty()) throw std::runtime_error("share/examples/numbers.flac holds no sound");
  }
  std::string piece(std::size_t index) const override {
    return samples_.substr(index * kBytes % samples_.size(), kBytes);
  }
  std::optional<std::size_t> answered(std::string_view line) const override {
    const Value word = Value::parse(line);
    const Value* end = word.as_object().find("end");
    if (end == nullptr) return std::nullopt;
    return static_cast<std::size_t>(end->as_double() / kPiece);
  }
  std::string recipe() const override {
    return "[nodes.in]\nuse = \"audio.read\"\npath = \"-\"\nformat = \"raw\"\n"
           "[nodes.asr]\nuse = \"asr.conformer\"\nfrom = \"in\"\nmodel = \"models/captions-en.h5\"\n"
           "[nodes.out]\nuse = \"jsonl.write\"\nfrom = \"asr.words\"\npath = \"-\"\n";
  }
  const char* name() const override { return "captions"; }

 private:
  static constexpr std::size_t kBytes = 1280 * 2;  // 80 ms at 16 kHz
  std::string samples_;
};

/// One program and the times at which it was fed.
class Follower {
 public:
  Follower(const Stream& stream, std::vector<std::string> argv)
      : stream_(stream),
        sent_(Stream::kPieces + kExtra),
        program_(std::move(argv), [this](std::string_view l) {
          const auto piece = stream_.answered(l);
          return piece && *piece < fed_ ? std::optional(sent_[*piece]) : std::nullopt;
        }) {}
  bool feed() {
    sent_[fed_] = Clock::now();
    ++fed_;
    return program_.feed(stream_.piece(fed_ - 1));
  }
  LiveProgram& program() { return program_; }
  std::size_t fed() const { return fed_; }

  static constexpr std::size_t kExtra = 100'000;  ///< pieces after the hour

 private:
  const Stream& stream_;
  std::vector<Clock::time_point> sent_;
  std::atomic<std::size_t> fed_{0};
  LiveProgram program_;
};

/// Pieces at the stream's pace; a machine that is late does not catch up in a burst.
class Pacer {
 public:
  explicit Pacer(double pace) : step_(Seconds(Stream::kPiece / pace)), due_(Clock::now()) {}
  void wait() {
    due_ = std::max(due_ + std::chrono::duration_cast<Clock::duration>(step_),
                    Clock::now() - std::chrono::milliseconds(50));
    std::this_thread::sleep_until(due_);
  }

 private:
  Seconds step_;
  Clock::time_point due_;
};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) throw std::runtime_error("nothing was measured");
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

std::vector<double> since(const std::vector<LiveProgram::Latency>& all, Clock::time_point from) {
  std::vector<double> values;
  for (const auto& latency : all) {
    if (latency.at >= from) values.push_back(latency.seconds);
  }
  return values;
}

/// p99 of two programs that were measured together: the median over slices of a second of the ratio, so that
/// a hiccup of the machine, which meets one or the other, counts as one slice.
double p99_ratio(const std::vector<LiveProgram::Latency>& a, const std::vector<LiveProgram::Latency>& b,
                 Clock::time_point from) {
  const auto slices = [&](const std::vector<LiveProgram::Latency>& all) {
    std::map<std::int64_t, std::vector<double>> by_second;
    for (const auto& latency : all) {
      if (latency.at >= from)
        by_second[std::chrono::duration_cast<std::chrono::seconds>(latency.at - from).count()].push_back(
            latency.seconds);
    }
    return by_second;
  };
  const auto first = slices(a), second = slices(b);
  std::vector<double> ratios;
  for (const auto& [slice, values] : first) {
    if (const auto other = second.find(slice); other != second.end())
      ratios.push_back(quantile(values, 0.99) / quantile(other->second, 0.99));
  }
  return quantile(ratios, 0.5);
}

struct Watched {
  std::vector<double> bytes;
  std::size_t files_first = 0, files_last = 0;
};

void check(bool held, const std::string& what, Tally& tally) {
  std::printf("  %-4s %s\n", held ? "held" : "NOT", what.c_str());
  std::fflush(stdout);
  tally.count("claims tried");
  if (!held) tally.failure(what);
}

std::string text_of(const char* format, auto... values) {
  char buffer[300];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

void follow(const Stream& stream, double minutes, Tally& tally) {
  std::printf("%s, an hour of stream time in about %.1f minutes\n", stream.name(), minutes);
  const testing::ScratchFolder scratch;
  testing::write_contents(scratch / "recipe.toml", stream.recipe());
  const double pace = Stream::kPieces * Stream::kPiece / (60 * minutes);
  const double paired_seconds = std::max(10.0, 12 * minutes);
  const auto arguments = [&](const std::string& checkpoint, const std::vector<std::string>& more) {
    std::vector<std::string> argv = {kStream,
                                     "run",
                                     (scratch / "recipe.toml").string(),
                                     "--checkpoint",
                                     (scratch / checkpoint).string(),
                                     "--every",
                                     "1s",
                                     "--threads",
                                     "1"};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  };
  const int max_seconds = static_cast<int>(60 * minutes * 1.1 + 2 * paired_seconds + 10);
  Follower old(stream, arguments("old.h5", {"--max-time", std::to_string(max_seconds) + "s"}));

  // The hour. Memory is watched after a tenth of it: by then every cache and pool is full.
  Watched watched;
  Pacer pacer(pace);
  auto sampled = Clock::now();
  for (std::size_t i = 0; i < Stream::kPieces; ++i) {
    if (!old.feed()) throw std::runtime_error("the program stopped reading after " + std::to_string(i));
    pacer.wait();
    if (i < Stream::kPieces / 10 || Clock::now() - sampled < std::chrono::milliseconds(500)) continue;
    sampled = Clock::now();
    watched.bytes.push_back(static_cast<double>(old.program().resident_bytes()));
    watched.files_last = old.program().open_files();
    if (watched.files_first == 0) watched.files_first = watched.files_last;
  }
  // The hour's last minutes beside a program that has just begun.
  Follower fresh(stream, arguments("fresh.h5", {}));
  Pacer together(pace);
  Clock::time_point from{};
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(1.5 * paired_seconds));
  for (bool first = true; Clock::now() < end; first = !first) {
    const bool fed = first ? old.feed() && fresh.feed() : fresh.feed() && old.feed();
    if (!fed) throw std::runtime_error("a program stopped reading");
    together.wait();
    // The fresh one has a third of the time to fill its caches.
    if (from == Clock::time_point{} &&
        Clock::now() > end - std::chrono::duration_cast<Clock::duration>(Seconds(paired_seconds)))
      from = Clock::now();
  }
  const auto old_latency = old.program().latencies(), fresh_latency = fresh.program().latencies();
  const double old_p99 = quantile(since(old_latency, from), 0.99),
               fresh_p99 = quantile(since(fresh_latency, from), 0.99);
  const double old_p50 = quantile(since(old_latency, from), 0.5),
               fresh_p50 = quantile(since(fresh_latency, from), 0.5);
  fresh.program().end_of_input();
  const int fresh_code = fresh.program().wait();

  // --max-time ends the old one while its input is still open.
  while (old.feed()) pacer.wait();
  const int old_code = old.program().wait();
  const std::string part = old.program().output();

  const std::size_t tenth = std::max<std::size_t>(1, watched.bytes.size() / 10);
  const double before =
      quantile({watched.bytes.begin(), watched.bytes.begin() + static_cast<std::ptrdiff_t>(tenth)}, 0.5);
  const double after =
      quantile({watched.bytes.end() - static_cast<std::ptrdiff_t>(tenth), watched.bytes.end()}, 0.5);
  std::printf("       resident MB along the way:");
  for (std::size_t i = 0; i < watched.bytes.size(); i += tenth) std::printf(" %.2f", watched.bytes[i] / 1e6);
  std::printf("\n");
  check(std::abs(after / before - 1) <= 0.01,
        text_of("resident memory: %.2f MB, at the end %.2f MB, ratio %.4f (bar: within 1 %%)", before / 1e6,
                after / 1e6, after / before),
        tally);
  check(watched.files_first == watched.files_last,
        text_of("open files: %zu, at the end %zu", watched.files_first, watched.files_last), tally);
  const double ratio = p99_ratio(old_latency, fresh_latency, from);
  check(ratio <= 1.1,
        text_of("latency p99 after the hour: %.3f ms beside %.3f ms of a fresh program, ratio %.3f by the "
                "second (bar: 1.1); p50 "
                "%.3f and %.3f ms; %zu and %zu lines",
                1e3 * old_p99, 1e3 * fresh_p99, ratio, 1e3 * old_p50, 1e3 * fresh_p50,
                since(old_latency, from).size(), since(fresh_latency, from).size()),
        tally);
  check(fresh_code == 0 && old_code == 0,
        text_of("exit codes: %d at the end of the input, %d at --max-time", fresh_code, old_code), tally);

  // What --max-time cut off comes after a resume, and nothing twice.
  std::string input;
  for (std::size_t i = 0; i < old.fed(); ++i) input += stream.piece(i);
  testing::write_contents(scratch / "input", input);
  testing::Program whole{.argv = {kStream, "run", (scratch / "recipe.toml").string()},
                         .input = "",
                         .input_file = (scratch / "input").string(),
                         .deadline = std::chrono::minutes(10)};
  testing::Program rest = whole;
  rest.argv = arguments("old.h5", {"--resume"});
  const testing::Outcome all = testing::run(whole), remaining = testing::run(rest);
  check(remaining.exit_code == 0 && !all.out.empty() && part + remaining.out == all.out,
        text_of("--max-time, then --resume: %zu + %zu bytes of output equal the %zu of an undisturbed run",
                part.size(), remaining.out.size(), all.out.size()),
        tally);
}

}  // namespace

int long_run(const Options& options) {
  Tally tally;
  const double minutes = options.minutes > 0 ? options.minutes : options.short_form ? 0.2 : 3;
  const auto wanted = [&](const char* name) {
    return options.only.empty() ||
           std::find(options.only.begin(), options.only.end(), name) != options.only.end();
  };
  if (wanted("text")) follow(TextStream(), minutes, tally);
  if (wanted("captions")) follow(SpeechStream(), minutes, tally);
  return tally.report("long: an hour's stream");
}

}  // namespace stream::campaign
