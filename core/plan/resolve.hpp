/// From names to a plan: operators looked up, parameters checked, nodes wired, types checked.
#pragma once

#include "recipe/flatten.hpp"

namespace stream {

/// Reports every fault; the plan is meaningful only when there are none.
Plan resolve_recipe(FlatRecipe recipe, const Registry& registry, const Overrides& overrides,
                    Diagnostics& diagnostics);

/// The wiring of a flat recipe: which output each `from` means once includes are looked through.
class Wiring {
 public:
  Wiring(FlatRecipe& recipe, const Registry& registry, Diagnostics& diagnostics);

  struct Feed {
    std::size_t node;      ///< index in recipe.nodes
    std::string port;      ///< empty: the first
    const FromItem* item;  ///< what the recipe says at the receiving end
  };
  /// What feeds a node, in the order of its `from`; names that mean nothing have been reported and are left
  /// out.
  std::vector<Feed> feeds(std::size_t node) const;
  /// The index of a node by id; an include stands for its input or output node. npos when unknown.
  std::size_t find(const std::string& id, bool as_input) const;
  /// Sources and sinks of included recipes that the including one has replaced.
  bool replaced(std::size_t node) const { return replaced_[node]; }
  bool used(std::size_t node) const { return used_[node]; }
  /// Nodes that wait for the `from` of an including recipe, which is not there.
  bool open_input(std::size_t node) const { return open_[node]; }
  bool faulty(std::size_t node) const { return faulty_[node]; }

 private:
  struct Target {
    bool include;
    std::size_t index;
    std::string port;
  };
  bool split(const FromItem& item, Target& out) const;
  void expand(const FromItem& item, const FromItem& told, int depth, std::vector<Feed>& out);
  bool has_nodes(const RecipeInclude& include) const;
  void connect_include(std::size_t index);
  std::size_t end_of(const RecipeInclude& include, bool input);
  std::vector<std::string> names_in(const std::string& scope) const;
  bool source(std::size_t node) const;
  bool sink(std::size_t node) const;

  FlatRecipe& recipe_;
  const Registry& registry_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::size_t, std::less<>> nodes_, includes_;
  std::vector<std::size_t> inputs_, outputs_;           ///< of the includes, npos when there is none
  std::map<std::size_t, std::size_t> replaced_source_;  ///< node -> the include that feeds its users
  std::vector<bool> replaced_, used_, open_, faulty_;
  std::vector<std::vector<Feed>> feeds_;
  std::size_t feed_count_ = 0;
};

/// Orders nodes so that every edge points forward, ties by position in the file, renumbers the edges and
/// finds the chains. Returns a cycle (as indices) when there is one, leaving the plan as it was.
std::vector<std::size_t> order_plan(Plan& plan);

}  // namespace stream
