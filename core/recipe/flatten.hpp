/// A recipe read: includes opened up, parameters substituted, overrides applied. Operators are still names.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "recipe/recipe.hpp"

namespace stream {

/// "node" or "node.port" as written in a `from`, and where.
struct FromItem {
  std::string target;
  Location where;
  std::string scope;                   ///< prefix of the ids around it: "" or "front."
  std::optional<std::string> to_port;  ///< the key, when `from` is a table
  Location to_port_where;
};

struct RecipeNode {
  struct Param {
    std::string name;
    Value value;  ///< null when it could not be read; that has been reported
    Location where, value_where;
  };
  std::string id;  ///< with the prefixes of its includes
  Location where;  ///< table header
  std::string use;
  Location use_where;
  std::vector<FromItem> from;
  Location from_where;  ///< line 0 when there is no `from`
  bool live = false;
  OnError on_error = OnError::kStop;
  std::size_t keys_in_memory = 0;  ///< 0: all of them
  Location keys_in_memory_where;
  std::vector<Param> params;
  std::string dir;  ///< of the file that it stands in
};

struct RecipeInclude {
  std::string id;  ///< "front": its nodes are "front.inner"
  Location where;
  std::vector<FromItem> from;
  Location from_where;
  bool live = false;
  std::optional<std::pair<std::string, Location>> input,
      output;  ///< as declared by the included file: its own ids
};

struct FlatRecipe {
  std::string title, about;
  Location where;
  std::vector<RecipeNode> nodes;  ///< in the order of the file, an included one's where its include stands
  std::vector<RecipeInclude> includes;
  std::optional<std::pair<std::string, Location>> input, output;
  std::size_t max_packets = Plan{}.max_packets, max_bytes = Plan{}.max_bytes;
  std::vector<RecipeTest> tests;
  std::vector<RecipeParam> params;
};

FlatRecipe flatten_recipe(const std::string& text, const std::string& file, const std::string& dir,
                          const Registry& registry, const Overrides& overrides, Diagnostics& diagnostics);

}  // namespace stream
