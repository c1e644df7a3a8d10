/// Makes every file operation of a run fail in turn, in every way that it can, then resumes.
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "faulty_files.hpp"
#include "stream/error.hpp"
#include "stream/random.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Fault kFaults[] = {
    {Call::kOpen, "no more descriptors", EMFILE},
    {Call::kOpen, "I/O error", EIO},
    {Call::kOpen, "no space", ENOSPC},
    {Call::kOpen, "interrupted", EINTR},
    {Call::kRead, "I/O error", EIO},
    {Call::kRead, "interrupted", EINTR},
    {Call::kRead, "short", 0},
    {Call::kWrite, "I/O error", EIO},
    {Call::kWrite, "no space", ENOSPC},
    {Call::kWrite, "disk full from then on", ENOSPC, true},
    {Call::kWrite, "interrupted", EINTR},
    {Call::kWrite, "short", 0},
    {Call::kSeek, "I/O error", EIO},
    {Call::kTruncate, "I/O error", EIO},
    {Call::kTruncate, "interrupted", EINTR},
    {Call::kSync, "I/O error", EIO},
    {Call::kSync, "no space", ENOSPC},
    {Call::kSync, "interrupted", EINTR},
    {Call::kClose, "I/O error", EIO},
    {Call::kClose, "interrupted", EINTR},
    {Call::kRename, "I/O error", EIO},
    {Call::kRename, "no space", ENOSPC},
    {Call::kUnlink, "I/O error", EIO},
};

/// Whether the run may end with this code when that call has failed.
bool as_designed(const Fault& fault, int exit_code) {
  constexpr int kNoInput = 66, kCannotWrite = 74;
  if (fault.harmless()) return exit_code == 0;
  switch (fault.call) {
    case Call::kWrite:
    case Call::kTruncate:
    case Call::kSync:
    case Call::kRename:
    case Call::kUnlink:
      return exit_code == kCannotWrite;
    case Call::kClose:  // after a sync there is nothing that a close could lose
      return exit_code == 0 || exit_code == kCannotWrite;
    case Call::kOpen:  // a checkpoint that cannot be read is passed over for the one before
    case Call::kRead:
    case Call::kSeek:
      return exit_code == 0 || exit_code == kNoInput || exit_code == kCannotWrite;
  }
  return false;
}

/// The name by which a message may speak of a file.
std::string spoken_name(std::string path) {
  if (path.ends_with(".tmp")) path.resize(path.size() - 4);
  return path;
}

/// Runs with the fault in place. False when the run made fewer such calls.
bool strike(const Site& site, const Fault& fault, std::size_t at, const std::string& who, Tally& tally) {
  FaultyFiles faulty(fault, at);
  const RunResult result = site.run(site.resuming(), &faulty);
  if (!faulty.fired()) {
    if (result.exit_code != 0) tally.failure(who + ": fails without a fault: " + result.error);
    return false;
  }
  const std::string what = who + ", " + fault.name + " at " + name_of(fault.call) + " " + std::to_string(at) +
                           " (" + faulty.victim() + ")";
  tally.count("file operations made to fail");
  tally.count(std::string("  ") + name_of(fault.call) + ": " + fault.name);
  if (!as_designed(fault, result.exit_code))
    tally.failure(what + ": exit code " + std::to_string(result.exit_code) + " " + result.error);
  const auto names = [&](const std::string& file) { return result.error.find(file) != std::string::npos; };
  // On a full disk another file may be the first whose failure is noticed: an output, or the keys on disk.
  const bool another = fault.lasting && (names(site.folder().string()) || names("/stream-keys-"));
  if (result.exit_code != 0 && !names(spoken_name(faulty.victim())) && !another)
    tally.failure(what + ": the message does not name the file: " + result.error);
  if (result.exit_code != 0) tally.count("    runs that ended with a message and their exit code");
  if (const std::string left = site.strays(); !left.empty()) tally.failure(what + ": " + left);
  return true;
}

void resume_and_compare(const Site& site, const std::string& who, Tally& tally) {
  const RunResult result = site.run(site.resuming());
  tally.count("    outputs resumed and compared");
  if (result.exit_code != 0) {
    tally.failure(who + ": cannot be resumed: " + result.error);
    return;
  }
  if (const std::string wrong = site.differences(); !wrong.empty()) tally.failure(who + ": " + wrong);
}

/// A run from its beginning (`stopped` false), or one that goes on from where another was stopped.
void every_occurrence(Site& site, const Fault& fault, bool stopped, std::size_t sample, Random& random,
                      Tally& tally) {
  const std::string who = site.pipeline().name + (stopped ? " resumed" : "");
  std::size_t at = sample == 0 ? 0 : random.below(4);
  for (std::size_t tried = 0; sample == 0 || tried < sample; ++tried) {
    site.clear();
    if (stopped) {
      RunOptions first = site.resuming();
      first.max_time = std::chrono::milliseconds(150);
      if (const RunResult result = site.run(first); result.exit_code != 0) {
        tally.failure(who + ": cannot be stopped in order: " + result.error);
        return;
      }
    }
    if (!strike(site, fault, at, who, tally)) return;
    resume_and_compare(
        site, who + ", " + fault.name + " at " + name_of(fault.call) + " " + std::to_string(at), tally);
    at += sample == 0 ? 1 : 1 + random.below(12);
  }
}

/// The program itself, against a limit of the system: no file may grow beyond `limit` bytes.
void limit_file_size(Site& site, Random& random, Tally& tally) {
  site.clear();
  std::uintmax_t largest = 0;
  if (const RunResult result = site.run(site.resuming()); result.exit_code != 0) return;
  for (const auto& name : site.pipeline().outputs)
    largest = std::max(largest, std::filesystem::file_size(site.folder() / name));
  const std::uint64_t limit = 1 + random.below(largest);
  site.clear();
  testing::Program program = site.program(2);
  std::string command = "ulimit -f " + std::to_string(1 + limit / 1024) + "; exec";
  for (const auto& argument : program.argv) command += " '" + argument + "'";
  program.argv = {"/bin/bash", "-c", command};
  const testing::Outcome outcome = testing::run(program);
  tally.count("programs run into the system's limit of file size");
  const bool hit = outcome.exit_code != 0;
  if (hit && (outcome.exit_code != 74 || outcome.err.find(site.folder().string()) == std::string::npos))
    tally.failure(site.pipeline().name + ", file size limited to " + std::to_string(limit) + ": exit code " +
                  std::to_string(outcome.exit_code) + " " + outcome.err);
  if (const std::string left = site.strays(); !left.empty())
    tally.failure(site.pipeline().name + ": " + left);
  resume_and_compare(site, site.pipeline().name + " after a limit of file size", tally);
}

}  // namespace

int fault_campaign(const Options& options) {
  Random random(options.seed);
  Tally tally;
  const auto start = Clock::now();
  const std::size_t sample = options.short_form ? 1 : static_cast<std::size_t>(options.count);
  for (const Pipeline& pipeline : pipelines(options.only)) {
    if (pipeline.heavy && options.only.empty()) continue;  // its files are the same formats' as the others'
    Site site(pipeline, random(), options.length);
    for (const bool stopped : {false, true}) {
      for (const Fault& fault : kFaults) {
        if (options.minutes > 0 && Clock::now() - start > std::chrono::duration<double>(60 * options.minutes))
          break;
        if (options.short_form && random.below(4) != 0) continue;
        every_occurrence(site, fault, stopped, sample, random, tally);
      }
    }
    for (int i = 0; i < (options.short_form ? 1 : 10); ++i) limit_file_size(site, random, tally);
  }
  return tally.report("faults: file operations that fail, each followed by a resume");
}

}  // namespace stream::campaign
