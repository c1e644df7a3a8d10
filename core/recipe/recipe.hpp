/// From a TOML file to a plan. `validate` and `run` both start here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.hpp"

namespace stream {

/// What the command line changes in a recipe.
struct Overrides {
  std::vector<std::pair<std::string, std::string>>
      set;                                   ///< "node.param" or "params.name" and the value as text
  std::optional<std::string> input, output;  ///< -i and -o
  /// --on-error, "stop" or "skip": for every node that does not divert, and for the parameter `faults` of
  /// sources that have one; what `set` says of a node goes before it.
  std::optional<std::string> on_error;
};

/// Reads the recipe, its includes and overrides, and validates everything. Never throws for a faulty recipe:
/// every fault is in `diagnostics`, and the plan is meaningful only when there are no errors.
Plan plan_recipe(const std::string& file, const Registry& registry, const Overrides& overrides,
                 Diagnostics& diagnostics);
/// The same for a recipe in a string; `dir` is what relative includes are looked up in.
Plan plan_recipe_text(const std::string& toml, const Registry& registry, const Overrides& overrides,
                      Diagnostics& diagnostics, const std::string& dir = ".");

/// A path as it is, or a bare name looked up as NAME.toml in $STREAM_RECIPES (colon-separated), the user's
/// (~/.config/stream/recipes) and the installed folders (recipes/ and recipes/studies/). Throws
/// Error(kNoInput) with the nearest name.
std::string find_recipe(const std::string& name);
/// Folders that bare recipe names are looked up in, existing ones only.
std::vector<std::string> recipe_folders();

/// The installed share folder (or the source tree's, when running from the build tree).
std::string share_dir();

/// JSON schema (2020-12) of recipes, with the parameters of every operator there is.
Value recipe_schema(const Registry& registry);

}  // namespace stream
