/// stream test: the [[test]] tables of recipes.
#include <cstdio>
#include <filesystem>

#include "compare.hpp"
#include "console.hpp"
#include "engine/engine.hpp"
#include "plans.hpp"
#include "scratch.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

/// A parameter of a test as --set would give it.
std::string setting_text(const Value& value) { return value.is_string() ? value.as_string() : value.dump(); }

class Test final : public Verb {
 public:
  Test() : Verb("test", "Run the tests that recipes carry in their [[test]] tables.") {
    option("RECIPE", "RECIPE", &recipes_, "recipe by path or bare name").required = true;
    option("--seed", "N", &seed_, "seed of every random number in the runs");
    option("--threads", "N", &threads_, "threads for the graph; 0 stands for one for each processor");
    example("a recipe that comes along", "stream test copy-lines");
  }

  int run() override {
    log_to_console(LogFormat::kText, LogLevel::kWarning);
    Registry registry;
    scan_plugins(registry);
    prepare_process();
    std::size_t passed = 0, failed = 0;
    for (const std::string& recipe : recipes_) {
      const Plan plan = load_plan(recipe, registry);
      if (plan.tests.empty()) {
        std::fprintf(stderr, "stream: error: %s: has no [[test]] table: nothing to test\n",
                     plan.file.c_str());
        ++failed;
      }
      for (std::size_t i = 0; i < plan.tests.size(); ++i) {
        const std::string name = recipe + " test " + std::to_string(i + 1);
        const auto fault = fault_of(plan, plan.tests[i], registry);
        print((fault ? "FAIL " : "ok   ") + name + "\n");
        if (fault)
          std::fprintf(stderr, "%s:%d: %s\n", plan.tests[i].where.file.c_str(), plan.tests[i].where.line,
                       fault->c_str());
        ++(fault ? failed : passed);
      }
    }
    print(std::to_string(passed) + " passed, " + std::to_string(failed) + " failed\n");
    return failed == 0 ? 0 : 1;
  }

 private:
  std::optional<std::string> fault_of(const Plan& plan, const RecipeTest& test, Registry& registry) {
    const ScratchFolder scratch;
    const std::string output =
        scratch.file("output" + std::filesystem::path(test.expect).extension().string());
    Overrides overrides;
    if (!test.input.empty()) overrides.input = test.input;
    overrides.output = output;
    for (const auto& [name, value] : test.params)
      overrides.set.emplace_back(name.find('.') == std::string::npos ? "params." + name : name,
                                 setting_text(value));
    try {
      const Plan tested = load_plan(plan.file, registry, overrides);
      RunOptions options;
      options.seed = seed_;
      options.threads = static_cast<int>(std::min<std::uint64_t>(threads_, 4096));
      const RunResult result = engine().run(tested, registry, options, [](const RunMetrics&, bool) {});
      if (result.exit_code != 0)
        return "the run ended with exit code " + std::to_string(result.exit_code) + ": " + result.error;
      const std::string expected = read_file(test.expect);
      const std::string actual = std::filesystem::exists(output) ? read_file(output) : std::string();
      if (auto difference = first_difference(expected, actual, test.tolerance))
        return test.expect + ": " + *difference;
      return {};
    } catch (const Error& e) {
      return std::string(e.what());
    }
  }
  std::vector<std::string> recipes_;
  std::uint64_t seed_ = 0, threads_ = 0;
};

}  // namespace

std::unique_ptr<Verb> make_test() { return std::make_unique<Test>(); }

}  // namespace stream::cli
