/// `stream check`: the laws tried on one operator after another. A library of its own (it brings the
/// property-based generator), loaded when first needed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "check/setup.hpp"
#include "registry/registry.hpp"

namespace stream::laws {

struct CheckOptions {
  std::vector<std::string> run_program;  ///< how to run a recipe: words, the recipe and options are added
  std::vector<std::string> program;      ///< how to start a worker: words, a descriptor's number is added
  std::uint64_t seed = 1;                ///< of the first trial; trial i has seed + i
  std::optional<std::size_t> trials;     ///< streams to make up; unset: by what the operator costs
  double seconds = 60;                   ///< after which no further trial begins
  std::string input;                     ///< a file whose packets take the place of made-up ones
};

enum class Verdict : std::uint8_t { kHeld, kBroken, kNotApplicable, kNotTried };
const char* name_of(Verdict verdict);  ///< "held", "BROKEN", "not applicable", "not tried"

/// The smallest stream found that breaks a law.
struct Counterexample {
  std::uint64_t seed = 0;          ///< of the trial: `--seed` with `--trials 1` shows it again
  std::string what;                ///< one sentence
  std::string tried;               ///< what was done to the stream
  std::vector<std::string> input;  ///< packets as short JSON, or what stands for them
  std::string fault;               ///< what the operator died of or said
  std::string expected, got, where;
  std::size_t smaller = 0;  ///< streams tried on the way down to this one
};

struct LawReport {
  std::string law;
  Verdict verdict = Verdict::kNotTried;
  std::size_t trials = 0;
  std::string how;                 ///< how it was tried, or why it was not
  std::vector<std::string> notes;  ///< what is odd but breaks nothing
  std::optional<Counterexample> counterexample;
};

struct SubjectReport {
  std::string name, kind;  ///< "operator", "source", "sink" or "recipe"
  std::string contract;    ///< in words
  std::uint64_t seed = 0;
  std::size_t trials = 0;
  double seconds = 0;
  std::string streams;  ///< "0 to 57 packets"
  std::vector<LawReport> laws;
  std::vector<std::string> notes;
  bool broken() const;
};

/// Told now and then how far it is; for a line of progress.
using Watcher = std::function<void(const std::string& law, std::size_t trial, std::size_t trials)>;

class Checker {
 public:
  virtual ~Checker();
  /// Throws Error(kBadRecipe) for an operator that cannot be made with these parameters.
  virtual SubjectReport check(const Setup& setup, const CheckOptions& options, const Watcher& watcher) = 0;
  /// A recipe as a whole: runs of `run_program` on files and pipes. Throws Error(kUsage) when its input can
  /// neither be made up nor was given.
  virtual SubjectReport check_recipe(const RecipeSetup& setup, const CheckOptions& options,
                                     const Watcher& watcher) = 0;
  /// The operators of a plugin by file. Loads it in a process of its own.
  virtual std::vector<std::string> operators_of(const std::string& library,
                                                const std::vector<std::string>& program) = 0;
  /// The other side: what a worker process runs. `words`: behind the verb's name.
  virtual int work(const std::vector<std::string>& words, const std::vector<std::string>& program) = 0;
};
/// Loads libstream-check beside libstream; its entry is `extern "C" Checker* stream_checker()`.
Checker& checker();

Value to_value(const SubjectReport& report);

}  // namespace stream::laws
