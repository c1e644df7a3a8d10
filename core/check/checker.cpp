/// The entry of libstream-check.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "check/examination.hpp"
#include "check/worker.hpp"

namespace stream::laws {
namespace {

std::string in_words(const Contract& c) {
  std::string words = "lookahead " + (c.lookahead == kUnbounded ? "unbounded" : to_string(c.lookahead)) +
                      ", " + stream::name_of(c.state) + " state";
  if (!c.grows_with.empty()) words += " in " + c.grows_with;
  words += std::string(", ") + stream::name_of(c.order);
  if (c.keyed) words += ", keyed";
  return words + (c.cost == Cost::kHeavy ? ", heavy" : ", cheap");
}

int number_of(const std::string& word) {
  int number = -1;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

/// The operator must be makable at all before any law means anything.
void require_makable(ProcessRunner& runner, const Spec& spec, const Setup& setup) {
  Scenario nothing;
  nothing.stop = 0;
  if (path_param(spec) != nullptr && spec.source()) return;  // made with made-up input
  if (path_param(spec) != nullptr && spec.sink())
    nothing.output = (std::filesystem::path(setup.scratch) / "output").string();
  const Outcome outcome = runner.run(nothing, Where::kUsual);
  if (!outcome.fault || outcome.fault->phase != Phase::kMake || outcome.fault->fatal()) return;
  throw bad_recipe(setup.operation + ": cannot be made: " + outcome.fault->message);
}

class LawChecker final : public Checker {
 public:
  SubjectReport check(const Setup& setup, const CheckOptions& options, const Watcher& watcher) override {
    ProcessRunner runner(setup, options.program);
    const Spec& spec = runner.spec();
    require_makable(runner, spec, setup);
    SubjectReport report = spec.source() ? examine_source(runner, setup, options, watcher)
                                         : examine_operator(runner, setup, options, watcher);
    report.contract = in_words(spec.contract());
    return report;
  }

  SubjectReport check_recipe(const RecipeSetup& setup, const CheckOptions& options,
                             const Watcher& watcher) override {
    return examine_recipe(setup, options, watcher);
  }

  std::vector<std::string> operators_of(const std::string& library,
                                        const std::vector<std::string>& program) override {
    Setup setup;
    setup.library = library;
    return Process(setup, program).operators();
  }

  int work(const std::vector<std::string>& words, const std::vector<std::string>& program) override {
    if (words.size() == 1) return serve_jobs(number_of(words[0]), program);
    if (words.size() == 3)
      return serve_one_job(number_of(words[0]), number_of(words[1]), number_of(words[2]));
    throw Error(ExitCode::kUsage, "a worker is started by 'stream check' alone");
  }
};

}  // namespace
}  // namespace stream::laws

extern "C" __attribute__((visibility("default"))) stream::laws::Checker* stream_checker() {
  static stream::laws::LawChecker checker;
  return &checker;
}
