/// Any bytes as a recipe: planned or refused with a text, never a crash; what was planned draws and prints.
#include <cstddef>
#include <cstdint>
#include <string>

#include "plan/render.hpp"
#include "recipe/recipe.hpp"

namespace {

stream::OperatorEntry entry(stream::Spec spec) {
  return {std::move(spec),
          [](const stream::Params&) -> std::unique_ptr<stream::Operator> { return nullptr; }};
}

const stream::Registry& registry() {
  static const auto* const instance = [] {
    using namespace stream;
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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  stream::Diagnostics diagnostics;
  // A folder that is not there: includes are parsed but never read.
  const auto plan = stream::plan_recipe_text(std::string(reinterpret_cast<const char*>(data), size),
                                             registry(), {}, diagnostics, "/nonexistent");
  const std::string text = diagnostics.text();
  if (diagnostics.has_errors()) return 0;
  stream::Diagnostics again;
  const auto flat = stream::plan_recipe_text(stream::to_toml(plan), registry(), {}, again);
  if (again.has_errors() || flat.digest() != plan.digest()) __builtin_trap();
  stream::to_svg(plan);
  stream::to_dot(plan);
  stream::to_mermaid(plan);
  return 0;
}
