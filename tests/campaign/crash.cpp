/// Dies at any one file operation of a run, with the process alone or with the power of the machine, then
/// resumes.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "forgetful_files.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

using Loss = ForgetfulFiles::Loss;

constexpr std::array<std::pair<Loss, const char*>, 3> kLosses = {{
    {Loss::kNothing, "the process dies"},
    {Loss::kUnsynced, "the power fails: all that was not synced is lost"},
    {Loss::kSome, "the power fails: some of what was not synced is lost"},
}};

/// This program again, as the run that dies.
testing::Outcome dying_run(const Site& site, std::size_t at, std::size_t loss, std::uint64_t seed) {
  return testing::run({.argv = {"/proc/self/exe", "die", site.folder().string(), std::to_string(at),
                                std::to_string(loss), std::to_string(seed)},
                       .input = ""});
}

bool stop_on_the_way(const Site& site) {
  RunOptions options = site.resuming();
  options.max_time = std::chrono::milliseconds(150);
  return site.run(options).exit_code == 0;
}

void try_calls(Site& site, bool stopped, int count, Random& random, Tally& tally) {
  const auto prepare = [&] {
    site.clear();
    if (stopped && !stop_on_the_way(site))
      tally.failure(site.pipeline().name + ": cannot be stopped in order");
  };
  prepare();
  // How many calls a run makes depends on how many checkpoints it gets to take.
  const testing::Outcome whole = dying_run(site, static_cast<std::size_t>(-1), 0, 0);
  const std::size_t calls = std::strtoul(whole.out.c_str(), nullptr, 10);
  if (whole.exit_code != 0 || calls == 0) {
    tally.failure(site.pipeline().name + ": " + whole.err);
    return;
  }
  for (int i = 0; i < count; ++i) {
    const std::size_t loss = static_cast<std::size_t>(i) % kLosses.size();
    const std::size_t at = random.below(calls);
    prepare();
    const testing::Outcome died = dying_run(site, at, loss, random());
    const std::string who = site.pipeline().name + (stopped ? " resumed, " : ", ") + kLosses[loss].second +
                            " at call " + std::to_string(at);
    if (died.signal == 0 && died.exit_code != 0) tally.failure(who + ": " + died.err);
    if (died.signal != 0) tally.count(kLosses[loss].second);
    const RunResult result = site.run(site.resuming());
    if (result.exit_code != 0) {
      tally.failure(who + ": cannot be resumed: " + result.error);
      continue;
    }
    tally.count("outputs resumed and compared");
    if (const std::string wrong = site.differences(); !wrong.empty()) tally.failure(who + ": " + wrong);
  }
}

}  // namespace

int die(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t i) { return std::strtoull(arguments.at(i).c_str(), nullptr, 10); };
  ForgetfulFiles files(arguments.at(0), number(1), kLosses.at(number(2)).first, number(3));
  const RunResult result = run_recipe_in(arguments.at(0), resuming_in(arguments.at(0)), &files);
  std::printf("%zu\n", files.calls());
  if (result.exit_code != 0) std::fprintf(stderr, "%s\n", result.error.c_str());
  return result.exit_code;
}

int crash_campaign(const Options& options) {
  Random random(options.seed);
  Tally tally;
  const int count = options.count > 0 ? options.count : options.short_form ? 3 : 60;
  for (const Pipeline& pipeline : pipelines(options.only)) {
    if (pipeline.heavy && options.only.empty()) continue;
    Site site(pipeline, random(), 400);
    for (const bool stopped : {false, true}) try_calls(site, stopped, count, random, tally);
  }
  return tally.report("crash: deaths at single file operations, each followed by a resume");
}

}  // namespace stream::campaign
