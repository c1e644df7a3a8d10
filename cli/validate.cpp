/// stream validate: the code that `run` starts with, minus weights, for any number of recipes.
#include <cstdio>

#include "plans.hpp"
#include "stream/error.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Validate final : public Verb {
 public:
  Validate() : Verb("validate", "Check recipes and report every fault, each with a caret.") {
    option("RECIPE", "RECIPE", &recipes_, "recipe by path or bare name").required = true;
    option("--set", "NODE.PARAM=VALUE", &settings_, "change a parameter first, as run would");
    option("-q,--quiet", "", &quiet_, "print nothing about recipes that are fine");
    example("check one of the recipes that come along", "stream validate copy-lines");
  }

  int run() override {
    Registry registry;
    scan_plugins(registry);
    const Overrides overrides{parse_settings(settings_), {}, {}};
    ExitCode worst = ExitCode::kOk;
    for (const std::string& recipe : recipes_) {
      try {
        const Plan plan = load_plan(recipe, registry, overrides);
        if (!quiet_) print(recipe + ": good, " + std::to_string(plan.nodes.size()) + " nodes\n");
      } catch (const Error& e) {
        std::fprintf(stderr, "stream: error: %s\n", e.what());
        worst = e.code();
      }
    }
    return static_cast<int>(worst);
  }

 private:
  std::vector<std::string> recipes_, settings_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_validate() { return std::make_unique<Validate>(); }

}  // namespace stream::cli
