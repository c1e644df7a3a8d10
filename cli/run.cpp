/// stream run: a recipe from its input to its output.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "console.hpp"
#include "plans.hpp"
#include "run_text.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "svg.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

using Clock = std::chrono::steady_clock;

RunOptions::Tap parse_tap(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, 0};
  std::size_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, count);
  if (error != std::errc() || stop != end)
    throw Error(ExitCode::kUsage, "--tap " + text + ": expected EDGE or EDGE:N with a number of packets");
  return {text.substr(0, colon), count};
}

/// "[NODE=]BYTES".
RunOptions::Received parse_received(const std::string& text) {
  const auto equals = text.rfind('=');
  const std::size_t from = equals == std::string::npos ? 0 : equals + 1;
  std::uint64_t bytes = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + from, end, bytes);
  if (error != std::errc() || stop != end)
    throw Error(ExitCode::kUsage,
                "--received " + text + ": expected BYTES or NODE=BYTES with a number of bytes");
  return {text.substr(0, from == 0 ? 0 : from - 1), bytes};
}

Duration duration_option(const char* flag, const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const Error& e) {
    throw Error(ExitCode::kUsage, std::string(flag) + ": " + e.what());
  }
}

/// Everything that watches a run, fed about ten times a second from the engine's thread.
class Watch {
 public:
  bool line = false;
  int fd = -1;
  std::string metrics_file, recipe;
  struct Sample {
    double wall, packets;
  };
  std::vector<Sample> samples;  ///< for the report; thinned out so that an endless run keeps few of them

  void operator()(const RunMetrics& metrics, bool last) {
    const auto now = Clock::now();
    if (line) show_progress(last ? "" : progress_line(metrics, console_width()));
    if (fd >= 0 && (last || now - told_ >= std::chrono::milliseconds(500)))
      told_ = now, tell(progress_keys(metrics, last));
    if (!metrics_file.empty() && (last || now - written_ >= std::chrono::seconds(5))) {
      written_ = now;
      try {
        write_atomically(metrics_file, prometheus_text(metrics, recipe));
      } catch (const Error& e) {
        if (!std::exchange(complained_, true)) log_error("", e.what());
      }
    }
    if (count_++ % stride_ == 0 || last) {
      double packets = 0;
      for (const NodeMetrics& n : metrics.nodes) packets += static_cast<double>(n.packets_out);
      samples.push_back({metrics.wall_seconds, packets});
      if (samples.size() > 600) {
        for (std::size_t i = 0; 2 * i < samples.size(); ++i) samples[i] = samples[2 * i];
        samples.resize((samples.size() + 1) / 2);
        stride_ *= 2;
      }
    }
  }

 private:
  void tell(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(fd, text.data(), text.size());
      if (n <= 0) {
        fd = -1;
        return;
      }  // a script that stops listening does not end the run
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  Clock::time_point told_{}, written_{};
  bool complained_ = false;
  std::size_t count_ = 0, stride_ = 1;
};

std::string report_page(const Plan& plan, const RunResult& result, const Watch& watch) {
  std::vector<std::vector<std::string>> rows;
  std::vector<Bar> bars;
  for (const NodeMetrics& n : result.metrics.nodes) {
    rows.push_back({n.id, n.op, std::to_string(n.packets_in), std::to_string(n.packets_out),
                    bytes_text(static_cast<double>(n.bytes_out)), number_text(n.seconds),
                    bytes_text(static_cast<double>(n.state_bytes)), std::to_string(n.errors),
                    std::to_string(n.dropped)});
    bars.push_back({n.id, n.seconds, seconds_text(n.seconds)});
  }
  Series rate{"packets a second, all nodes", {}};
  for (std::size_t i = 1; i < watch.samples.size(); ++i) {
    const auto &a = watch.samples[i - 1], &b = watch.samples[i];
    if (b.wall > a.wall) rate.points.push_back({b.wall, (b.packets - a.packets) / (b.wall - a.wall)});
  }
  const RunMetrics& m = result.metrics;
  std::vector<std::vector<std::string>> facts = {
      {"recipe", plan.file},
      {"exit code", std::to_string(result.exit_code)},
      {"wall time", seconds_text(m.wall_seconds)},
      {"latency p50, p99, max",
       seconds_text(m.latency_p50) + ", " + seconds_text(m.latency_p99) + ", " + seconds_text(m.latency_max)},
      {"checkpoints", std::to_string(m.checkpoints)}};
  if (const double factor = realtime_factor(m); factor >= 0) {
    facts.push_back({"stream time", seconds_text(m.stream_seconds)});
    facts.push_back({"real-time factor", number_text(factor)});
  }
  if (!result.error.empty()) facts.push_back({"error", result.error});
  return html_page(
      plan.title.empty() ? plan.file : plan.title,
      html_table({"", ""}, facts) + "<h2>Nodes</h2>\n" +
          html_table({"node", "operator", "in", "out", "bytes out", "seconds", "state", "errors", "dropped"},
                     rows) +
          bar_plot("seconds inside each node", bars) + line_plot("throughput", "wall-clock seconds", {rate}));
}

class Run final : public Verb {
 public:
  Run() : Verb("run", "Run a recipe until its input ends or a signal stops it.") {
    option("RECIPE", "RECIPE", &recipe_, "recipe by path or bare name").required = true;
    option("-i,--input", "FILE", &overrides_.input, "what the recipe's input reads; - is stdin");
    option("-o,--output", "FILE", &overrides_.output, "what the recipe's output writes; - is stdout");
    option("--set", "NODE.PARAM=VALUE", &settings_,
           "set a parameter of a node, or params.NAME of the recipe; may be repeated");
    option("--on-error", "WHAT", &on_error_,
           "what input that cannot be does: end the run, or be passed over (stop, skip)")
        .choices = {"stop", "skip"};
    option("--threads", "N", &threads_, "threads for the graph; 0 stands for one for each processor");
    option("--device", "DEVICE", &options_.device, "where tensors are computed: cpu, cuda or cuda:N");
    option("--seed", "N", &options_.seed, "seed of every random number in the run");
    option("--checkpoint", "FILE", &options_.checkpoint,
           "write checkpoints there, and keep the newest three");
    option("--every", "DURATION", &every_, "time between checkpoints");
    option("--resume", "", &options_.resume, "go on from the newest good checkpoint, when there is one");
    option("--received", "[NODE=]BYTES", &received_,
           "bytes of the whole output that the reader of a pipe has: they are not written again; may be "
           "repeated");
    option("--cache", "DIR", &options_.cache_dir,
           "folder for the states of keys that are not kept in memory");
    option("--pace", "PACE", &pace_, "as the stream's own time passes, or as fast as possible").choices = {
        "realtime", "asap"};
    option("--max-time", "DURATION", &max_time_, "stop in order after this much wall-clock time");
    option("--progress", "WHEN", &progress_, "when to draw the progress line on stderr").choices = {
        "auto", "always", "never"};
    option("--log-format", "FORMAT", &log_format_, "how messages on stderr look").choices = {"text", "json"};
    option("--report", "FILE", &report_, "write a self-contained HTML report at the end");
    option("--progress-fd", "N", &progress_fd_, "write key=value lines to this file descriptor");
    option("--metrics", "FILE", &metrics_, "keep a Prometheus text file up to date there, atomically");
    option("--tap", "EDGE[:N]", &taps_,
           "show the packets (the first N) that leave a node or port; may be repeated");
    option("-q,--quiet", "", &quiet_, "errors only on stderr");
    option("-v,--verbose", "", &verbose_, "more messages on stderr; twice for all of them");
    example("a filter in a pipe", "printf 'one\\ntwo\\n' | stream run copy-lines");
    example("files, and a report",
            "printf 'one\\n' > in.txt && stream run copy-lines -i in.txt -o out.txt --report report.html");
    example("a run that can be stopped and called again",
            "printf 'one\\n' > in.txt && stream run copy-lines -i in.txt -o out.txt --checkpoint run.h5 "
            "--resume");
    example("a reader that has the first four bytes already",
            "printf 'one\\ntwo\\n' | stream run copy-lines --received 4");
  }

  int run() override {
    const LogLevel least = quiet_         ? LogLevel::kError
                           : verbose_ > 1 ? LogLevel::kDebug
                           : verbose_ > 0 ? LogLevel::kInfo
                                          : LogLevel::kWarning;
    log_to_console(log_format_ == "json" ? LogFormat::kJson : LogFormat::kText, least);
    fill_in_options();

    Registry registry;
    scan_plugins(registry);
    const Plan plan = load_plan(recipe_, registry, overrides_);
    prepare_process();

    Watch watch;
    const bool terminal = stderr_is_terminal();
    watch.line = progress_ == "always" || (progress_ == "auto" && terminal && !quiet_);
    if (watch.line && terminal) show_lines_on_console();
    watch.metrics_file = metrics_;
    watch.recipe = recipe_;
    watch.fd = progress_fd_number_;
    const RunResult result =
        engine().run(plan, registry, options_, [&watch](const RunMetrics& m, bool last) { watch(m, last); });
    show_progress("");

    if (!report_.empty()) write_atomically(report_, report_page(plan, result, watch));
    if (watch.line && terminal) {
      if (result.already_finished)
        std::fputs("the run had finished before: nothing to do\n", stderr);
      else
        std::fputs(summary_text(result.metrics).c_str(), stderr);
    }
    if (!result.error.empty()) log_error("", result.error);
    return result.exit_code;
  }

 private:
  void fill_in_options() {
    overrides_.set = parse_settings(settings_);
    overrides_.on_error = on_error_;
    if (threads_ > 4096)
      throw Error(ExitCode::kUsage, "--threads " + std::to_string(threads_) + ": expected 0 to 4096");
    options_.threads = static_cast<int>(threads_);
    options_.every = duration_option("--every", every_);
    if (options_.every <= Duration::zero())
      throw Error(ExitCode::kUsage, "--every " + every_ + ": expected more than nothing");
    if (!max_time_.empty()) options_.max_time = duration_option("--max-time", max_time_);
    options_.realtime = pace_ == "realtime";
    if (options_.resume && options_.checkpoint.empty())
      throw Error(ExitCode::kUsage, "--resume needs --checkpoint FILE to resume from");
    const std::string& device = options_.device;
    const bool numbered = device.starts_with("cuda:") && device.size() > 5 &&
                          device.find_first_not_of("0123456789", 5) == std::string::npos;
    if (device != "cpu" && device != "cuda" && !numbered)
      throw Error(ExitCode::kUsage, "--device " + device + ": expected cpu, cuda or cuda:N");
    if (progress_fd_) {
      std::uint64_t fd = 0;
      const char* const end = progress_fd_->data() + progress_fd_->size();
      const auto [stop, error] = std::from_chars(progress_fd_->data(), end, fd);
      if (error != std::errc() || stop != end || fd < 1 || fd > 65535 ||
          ::write(static_cast<int>(fd), "", 0) != 0) {
        throw Error(ExitCode::kUsage, "--progress-fd " + *progress_fd_ +
                                          ": expected the number of a descriptor that is open for writing");
      }
      progress_fd_number_ = static_cast<int>(fd);
      if (progress_fd_number_ == STDOUT_FILENO)
        throw Error(ExitCode::kUsage,
                    "--progress-fd 1: stdout carries data; use another descriptor, as in 3>progress.txt");
    }
    for (const std::string& received : received_) options_.received.push_back(parse_received(received));
    for (const std::string& tap : taps_) options_.taps.push_back(parse_tap(tap));
  }

  std::string recipe_, every_ = "30s", max_time_, pace_ = "asap", progress_ = "auto", log_format_ = "text",
                       report_, metrics_;
  std::vector<std::string> settings_, taps_, received_;
  std::optional<std::string> progress_fd_, on_error_;
  int progress_fd_number_ = -1;
  std::uint64_t threads_ = 0;
  bool quiet_ = false;
  int verbose_ = 0;
  Overrides overrides_;
  RunOptions options_;
};

}  // namespace

std::unique_ptr<Verb> make_run() { return std::make_unique<Run>(); }

}  // namespace stream::cli
