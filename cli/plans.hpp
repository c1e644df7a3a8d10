/// What verbs that take recipes begin with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recipe/recipe.hpp"

namespace stream::cli {

/// The operators of the default folders; manifests that cannot be read are reported once on stderr.
void scan_plugins(Registry& registry);

/// Splits "node.param=value" words. Throws Error(kUsage) for one without '=' or '.'.
std::vector<std::pair<std::string, std::string>> parse_settings(const std::vector<std::string>& words);

/// The plan of a recipe by path or bare name. Faults go to stderr, all of them, each with a caret; then
/// Error(kBadRecipe).
Plan load_plan(const std::string& recipe, const Registry& registry, const Overrides& overrides = {});

/// Names of the recipes in the folders that bare names are looked up in; `studies` selects the folder of that
/// name, otherwise it is left out. The first folder that has a name wins.
struct NamedRecipe {
  std::string name, path;
};
std::vector<NamedRecipe> named_recipes(bool studies);

}  // namespace stream::cli
