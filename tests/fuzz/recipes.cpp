/// Recipes and manifests: planned or refused with a text; what was planned draws, prints and plans again.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "plan/render.hpp"
#include "recipe/recipe.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

OperatorEntry entry(Spec spec) {
  return {std::move(spec), [](const Params&) -> std::unique_ptr<Operator> { return nullptr; }};
}

const Registry& registry() {
  static const auto* const instance = [] {
    auto* r = new Registry;
    std::vector<OperatorEntry> e;
    e.push_back(entry(Spec("src", "Source.").output<Audio>("out").path("path", "-", "file")));
    e.push_back(
        entry(Spec("mix", "Two inputs.").input<Audio>("a").optional_input<Audio>("b").output<Audio>("out")));
    e.push_back(entry(Spec("pass", "Any.")
                          .input<Payload>("in")
                          .output<Payload>("out")
                          .param("n", 1, "number", range(0, 9))));
    e.push_back(entry(Spec("sink", "Sink.").input<Payload>("in")));
    r->add(std::move(e), "fuzz");
    return r;
  }();
  return *instance;
}

}  // namespace

void run_recipe(Bytes bytes) {
  Diagnostics diagnostics;
  // A folder that is not there: includes are parsed but never read.
  const auto plan =
      plan_recipe_text(std::string(bytes.begin(), bytes.end()), registry(), {}, diagnostics, "/nonexistent");
  const std::string text = diagnostics.text();
  if (diagnostics.has_errors()) {
    if (text.empty()) throw std::logic_error("refused without a word");
    return;
  }
  Diagnostics again;
  const auto flat = plan_recipe_text(to_toml(plan), registry(), {}, again);
  if (again.has_errors() || flat.digest() != plan.digest())
    throw std::logic_error("the flat recipe is not the plan's: " + again.text());
  to_svg(plan);
  to_dot(plan);
  to_mermaid(plan);
}

void run_manifest(Bytes bytes) {
  static const std::filesystem::path folder = [] {
    auto made = std::filesystem::temp_directory_path() / ("fuzz-manifest-" + std::to_string(::getpid()));
    std::filesystem::create_directories(made);
    return made;
  }();
  std::ofstream(folder / "any.plugin.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  Registry found;
  found.scan({folder});
  if (found.plugins().empty() && found.problems().empty())
    throw std::logic_error("a manifest was passed over without a word");
  // What a manifest says is planned with, and shown to people and editors.
  try {
    for (const auto& name : found.names()) found.find(name)->spec.to_value().dump();
    for (const auto& name : found.environment_names()) found.find_environment(name)->to_value().dump();
    recipe_schema(found).dump();
  } catch (const Error&) {  // lists what it describes wrongly
  }
}

}  // namespace stream::fuzz
