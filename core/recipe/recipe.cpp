#include "recipe/recipe.hpp"

#include <filesystem>

#include "plan/resolve.hpp"
#include "recipe/flatten.hpp"
#include "recipe/source_value.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

Plan plan_of(const std::string& text, const std::string& file, const std::string& dir,
             const Registry& registry, const Overrides& overrides, Diagnostics& diagnostics) {
  FlatRecipe flat = flatten_recipe(text, file, dir, registry, overrides, diagnostics);
  Plan plan = resolve_recipe(std::move(flat), registry, overrides, diagnostics);
  plan.file = file;
  plan.dir = dir;
  return plan;
}

}  // namespace

Plan plan_recipe(const std::string& file, const Registry& registry, const Overrides& overrides,
                 Diagnostics& diagnostics) {
  const auto parent = std::filesystem::path(file).parent_path();
  std::string text;
  try {
    text = read_file(file, kLargestRecipe);
  } catch (const Error& e) {
    diagnostics.error({file}, e.what());
    Plan plan;
    plan.file = file;
    return plan;
  }
  return plan_of(text, file, parent.empty() ? "." : parent.string(), registry, overrides, diagnostics);
}

Plan plan_recipe_text(const std::string& toml, const Registry& registry, const Overrides& overrides,
                      Diagnostics& diagnostics, const std::string& dir) {
  return plan_of(toml, "<string>", dir, registry, overrides, diagnostics);
}

}  // namespace stream
