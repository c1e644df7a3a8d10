/// Stops running programs at random instants, resumes them until they end, and compares.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "stream/random.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

bool has_ended(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

/// When a run is stopped: some time after its start, or some time after it has begun to write a checkpoint.
struct Instant {
  microseconds after;
  bool in_checkpoint;
  int signal;
};

Instant choose(Random& random, double run_seconds) {
  Instant instant{};
  instant.in_checkpoint = random.below(2) == 0;
  const double most = instant.in_checkpoint ? 0.008 : 1.2 * run_seconds + 0.05;
  instant.after = microseconds(static_cast<std::int64_t>(1e6 * most * random.uniform()));
  const std::uint64_t kind = random.below(10);
  instant.signal = kind == 0 ? SIGTERM : kind == 1 ? SIGINT : SIGKILL;
  return instant;
}

void stop(int pid, const Instant& instant, const std::string& checkpoint) {
  if (instant.in_checkpoint) {
    while (!has_ended(pid) && !exists(checkpoint + ".tmp")) std::this_thread::sleep_for(microseconds(100));
  }
  const auto due = Clock::now() + instant.after;
  while (Clock::now() < due) {
    if (has_ended(pid)) return;
    std::this_thread::sleep_for(std::min<Clock::duration>(std::chrono::milliseconds(1), due - Clock::now()));
  }
  ::kill(pid, instant.signal);
}

const char* name_of(int signal) {
  return signal == SIGKILL ? "SIGKILL" : signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

/// One output from its first start to its end, stopped `stops` times on the way.
void live_through(Site& site, Random& random, int stops, Tally& tally) {
  site.clear();
  const int threads = std::array{1, 2, 4}[random.below(3)];
  const std::string who = site.pipeline().name + ", seed " + std::to_string(random());
  for (int left = stops;; --left) {
    testing::Program program = site.program(threads);
    const Instant instant = choose(random, site.seconds());
    if (left > 0) program.when_fed = [&](int pid) { stop(pid, instant, site.checkpoint()); };
    const testing::Outcome outcome = testing::run(program);
    if (outcome.signal == SIGKILL && !outcome.timed_out) {
      tally.count("killed by SIGKILL");
      tally.count(instant.in_checkpoint ? "  of those while a checkpoint was being written"
                                        : "  of those at any other instant");
      continue;
    }
    if (outcome.exit_code == 128 + instant.signal && left > 0) {
      tally.count(std::string("stopped by ") + name_of(instant.signal));
      continue;
    }
    if (outcome.exit_code != 0 || outcome.timed_out) {
      tally.failure(who + ": exit code " + std::to_string(outcome.exit_code) + ": " + outcome.err);
      return;
    }
    break;
  }
  tally.count("outputs that went through it");
  if (const std::string wrong = site.differences(); !wrong.empty()) tally.failure(who + ": " + wrong);
}

}  // namespace

int kill_campaign(const Options& options) {
  Random random(options.seed);
  Tally tally;
  const auto start = Clock::now();
  const std::size_t wanted = options.count > 0    ? static_cast<std::size_t>(options.count)
                             : options.short_form ? 12
                                                  : 500;
  std::vector<std::unique_ptr<Site>> sites;
  for (const Pipeline& pipeline : pipelines(options.only)) {
    if (pipeline.heavy && options.short_form) continue;
    sites.push_back(std::make_unique<Site>(pipeline, random(), options.short_form ? 500 : 1500));
  }
  for (std::size_t round = 0; tally.of("killed by SIGKILL") < wanted; ++round) {
    for (const auto& site : sites) {
      if (site->pipeline().heavy && round % 8 != 0) continue;
      live_through(*site, random, 1 + static_cast<int>(random.below(6)), tally);
    }
    if (options.minutes > 0 && Clock::now() - start > std::chrono::duration<double>(60 * options.minutes))
      break;
  }
  return tally.report("kill: runs stopped at random instants and resumed until they ended");
}

}  // namespace stream::campaign
