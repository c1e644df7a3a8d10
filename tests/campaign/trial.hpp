/// What every part of the campaign does: prepare a folder, run a pipeline there, compare with the undisturbed
/// run, count.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "pipelines.hpp"
#include "program/program.hpp"
#include "stream/file.hpp"

namespace stream::campaign {

struct Options {
  bool short_form = false;  ///< seconds instead of minutes: for every build
  int count = 0;            ///< of the part's unit; 0: its default
  double minutes = 0;       ///< 0: as long as it takes
  std::uint64_t seed = 1;
  int length = 400;               ///< of the inputs of `faults`, in the measure of each pipeline
  std::vector<std::string> only;  ///< pipelines; empty: all
};

/// Counts by name, in the order in which the names came up, and what went wrong.
class Tally {
 public:
  void count(const std::string& what, std::size_t by = 1);
  /// Something that must never happen. The first of them are printed at once.
  void failure(const std::string& what);
  std::size_t failures() const { return failures_; }
  std::size_t of(const std::string& what) const;
  /// Prints the table under a heading; 0, or 1 when there were failures.
  int report(const std::string& heading) const;

 private:
  std::vector<std::pair<std::string, std::size_t>> counts_;
  std::size_t failures_ = 0;
};

inline const std::string kStream = STREAM_BINARY_DIR "/bin/stream";

/// Runs recipe.toml of a folder in this process, on another file system when one is given.
RunResult run_recipe_in(const std::filesystem::path& folder, RunOptions options, FileSystem* files = nullptr);
/// Checkpoints as often as can be in that folder, two threads, resuming.
RunOptions resuming_in(const std::filesystem::path& folder);

/// A working folder with a pipeline's recipe and inputs, and the outputs that an undisturbed run makes of
/// them.
class Site {
 public:
  Site(const Pipeline& pipeline, std::uint64_t seed, int length);

  const Pipeline& pipeline() const { return pipeline_; }
  std::filesystem::path folder() const { return scratch_.path(); }
  std::string checkpoint() const { return (folder() / "run.h5").string(); }
  /// Removes outputs and checkpoints.
  void clear();
  RunResult run(const RunOptions& options, FileSystem* files = nullptr) const {
    return run_recipe_in(folder(), options, files);
  }
  RunOptions resuming() const { return resuming_in(folder()); }
  /// `stream run` on the recipe with checkpoints, as often as can be, and --resume.
  testing::Program program(int threads) const;

  /// What differs from the undisturbed run, or lies about that should not; empty when all is as it must be.
  std::string differences() const;
  /// Files that are neither the recipe's nor checkpoints under their final names.
  std::string strays() const;
  /// What an undisturbed run writes to an output, which from now on goes to a pipe instead of a file.
  std::string take_output(const std::string& name);
  double seconds() const { return seconds_; }  ///< that the undisturbed run took

 private:
  Pipeline pipeline_;
  testing::ScratchFolder scratch_;
  std::map<std::string, std::string> expected_;
  double seconds_ = 0;
};

int kill_campaign(const Options& options);
int fault_campaign(const Options& options);
int crash_campaign(const Options& options);
int damage_campaign(const Options& options);
int delivery_campaign(const Options& options);
int long_run(const Options& options);

/// The run that dies in crash_campaign, in a process of its own.
int die(const std::vector<std::string>& arguments);

}  // namespace stream::campaign
