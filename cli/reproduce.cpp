/// stream reproduce: runs studies and holds what they measure against their bars.
#include <cstdio>

#include "console.hpp"
#include "engine/engine.hpp"
#include "plans.hpp"
#include "scratch.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "study.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Reproduce final : public Verb {
 public:
  Reproduce()
      : Verb("reproduce",
             "Run a study: a paper's claim, its baseline and the system over the same data, against a stated "
             "bar.") {
    option("STUDY", "STUDY", &studies_, "study by name or path");
    option("--all", "", &all_, "every study there is");
    option("--quick", "", &quick_, "the version of seconds, with its own looser bar");
    option("--seed", "N", &seed_, "other data and other initial weights");
    option("--set", "params.NAME=VALUE", &settings_,
           "set a parameter of the study, or NODE.PARAM of a node; may be repeated");
    option("--threads", "N", &threads_, "threads for the graph; 0 stands for one for each processor");
    option("--json", "", &json_, "the facts as JSON: one object for each study, one a line");
    option("--report", "FILE", &report_, "write a self-contained HTML page with plots");
    example("which studies there are", "stream list studies");
  }

  int run() override {
    if (all_ == !studies_.empty())
      throw Error(ExitCode::kUsage,
                  "stream reproduce: expected names of studies, or --all ('stream list studies' lists them)");
    log_to_console(LogFormat::kText, LogLevel::kWarning);
    if (all_) {
      for (const NamedRecipe& study : named_recipes(true)) studies_.push_back(study.name);
      if (studies_.empty())
        throw no_input("there are no studies in the folders that recipes are looked up in");
    }
    Registry registry;
    scan_plugins(registry);
    prepare_process();
    std::vector<StudyResult> results;
    bool held = true;
    for (const std::string& study : studies_) {
      results.push_back(reproduce(study, registry));
      held = held && results.back().held();
      print(json_ ? study_value(results.back()).dump() + "\n" : study_table(results.back()));
    }
    if (!report_.empty()) write_atomically(report_, study_report(results));
    return held ? 0 : 1;
  }

 private:
  StudyResult reproduce(const std::string& study, Registry& registry) {
    const ScratchFolder scratch;
    Overrides overrides;
    overrides.output = scratch.file("claims.jsonl");
    overrides.set = {{"params.quick", quick_ ? "true" : "false"}};
    for (auto& setting : parse_settings(settings_)) overrides.set.push_back(std::move(setting));
    const Plan plan = load_plan(study, registry, overrides);
    RunOptions options;
    options.seed = seed_;
    options.threads = static_cast<int>(std::min<std::uint64_t>(threads_, 4096));
    const bool line = stderr_is_terminal();
    const RunResult run = engine().run(plan, registry, options, [&](const RunMetrics& m, bool last) {
      if (!line) return;
      std::string newest;
      for (const NodeMetrics& n : m.nodes) newest = n.progress.empty() ? newest : n.progress;
      show_progress(
          last ? ""
               : tail_of(study + "  " + seconds_text(m.wall_seconds) + "  " + newest, console_width() - 1));
    });
    show_progress("");
    if (run.exit_code != 0) {
      const bool signal = run.exit_code > 128;
      throw Error(static_cast<ExitCode>(run.exit_code),
                  study + ": " + (signal ? "stopped by a signal" : run.error));
    }
    StudyResult result;
    result.study = study;
    result.seed = seed_;
    result.seconds = run.metrics.wall_seconds;
    read_study_records(read_file(*overrides.output), result);
    return result;
  }

  std::vector<std::string> studies_;
  bool all_ = false, quick_ = false, json_ = false;
  std::uint64_t seed_ = 0, threads_ = 0;
  std::string report_;
  std::vector<std::string> settings_;
};

}  // namespace

std::unique_ptr<Verb> make_reproduce() { return std::make_unique<Reproduce>(); }

}  // namespace stream::cli
