#include <algorithm>

#include "plan/resolve.hpp"
#include "recipe/wording.hpp"

namespace stream {

namespace {
constexpr std::size_t npos = Plan::npos;
constexpr int kDeepest = 64;              // includes that hand on each other's output
constexpr std::size_t kMostFeeds = 4096;  // edges of a recipe in all
}  // namespace

Wiring::Wiring(FlatRecipe& recipe, const Registry& registry, Diagnostics& diagnostics)
    : recipe_(recipe), registry_(registry), diagnostics_(diagnostics) {
  const std::size_t count = recipe.nodes.size();
  replaced_.resize(count), used_.resize(count), open_.resize(count), faulty_.resize(count),
      feeds_.resize(count);
  for (std::size_t i = 0; i < count; ++i) nodes_.emplace(recipe.nodes[i].id, i);
  for (std::size_t i = 0; i < recipe.includes.size(); ++i) includes_.emplace(recipe.includes[i].id, i);
  for (const RecipeInclude& include : recipe.includes) {
    inputs_.push_back(end_of(include, true));
    outputs_.push_back(end_of(include, false));
  }
  // Inner includes stand before the ones around them, so a node gets its `from` before it is looked at from
  // outside.
  for (std::size_t i = 0; i < recipe.includes.size(); ++i) connect_include(i);

  // A sink whose include is used as an input gives way to what fed it.
  const auto replace_sinks = [&](const std::vector<FromItem>& from) {
    for (const FromItem& item : from) {
      Target t;
      if (!split(item, t) || !t.include) continue;
      const std::size_t out = outputs_[t.index];
      if (out != npos && sink(out)) replaced_[out] = true;
    }
  };
  for (const RecipeNode& node : recipe.nodes) replace_sinks(node.from);
  for (const RecipeInclude& include : recipe.includes) replace_sinks(include.from);
  for (std::size_t i = 0; i < count; ++i) {
    if (replaced_[i]) continue;
    const std::size_t wanted = recipe.nodes[i].from.size();
    for (std::size_t k = 0; k < wanted; ++k) {
      const FromItem& item = recipe.nodes[i].from[k];
      const std::size_t before = feeds_[i].size();
      expand(item, item, 0, feeds_[i]);
      if (feeds_[i].size() == before) faulty_[i] = true;
    }
    for (const Feed& f : feeds_[i]) used_[f.node] = true;
  }
}

std::vector<Wiring::Feed> Wiring::feeds(std::size_t node) const { return feeds_[node]; }

bool Wiring::source(std::size_t node) const {
  const OperatorInfo* op = registry_.find(recipe_.nodes[node].use);
  return op && op->spec.source();
}

bool Wiring::sink(std::size_t node) const {
  const OperatorInfo* op = registry_.find(recipe_.nodes[node].use);
  return op && op->spec.sink();
}

std::size_t Wiring::find(const std::string& id, bool as_input) const {
  if (const auto it = nodes_.find(id); it != nodes_.end()) return it->second;
  if (const auto it = includes_.find(id); it != includes_.end())
    return (as_input ? inputs_ : outputs_)[it->second];
  return npos;
}

std::vector<std::string> Wiring::names_in(const std::string& scope) const {
  std::vector<std::string> out;
  const auto add = [&](const std::string& id) {
    if (id.compare(0, scope.size(), scope) == 0) out.push_back(id.substr(scope.size()));
  };
  for (const RecipeNode& n : recipe_.nodes) add(n.id);
  for (const RecipeInclude& i : recipe_.includes) add(i.id);
  return out;
}

/// The input or output node of an include: as declared, else its only source or sink, else (for an input) the
/// only node that nothing feeds, (for an output) the only node that nothing uses.
std::size_t Wiring::end_of(const RecipeInclude& include, bool input) {
  const std::string scope = include.id + ".";
  if (const auto& declared = input ? include.input : include.output) {
    if (const std::size_t node = find(scope + declared->first, input); node != npos) return node;
    if (!includes_.count(scope + declared->first)) {
      diagnostics_.error(declared->second, "unknown node '" + declared->first + "'" +
                                               hint(declared->first, names_in(scope), "nodes"));
    }
    return npos;
  }
  std::vector<std::size_t> ends, loose;
  for (std::size_t i = 0; i < recipe_.nodes.size(); ++i) {
    const RecipeNode& n = recipe_.nodes[i];
    if (n.id.compare(0, scope.size(), scope) != 0) continue;
    if (input ? source(i) : sink(i)) ends.push_back(i);
    if (input && n.from.empty()) loose.push_back(i);
    if (!input) {
      const bool fed_on =
          std::any_of(recipe_.nodes.begin(), recipe_.nodes.end(), [&](const RecipeNode& other) {
            return std::any_of(other.from.begin(), other.from.end(), [&](const FromItem& item) {
              Target t;
              return split(item, t) && !t.include && t.index == i;
            });
          });
      if (!fed_on) loose.push_back(i);
    }
  }
  if (ends.size() == 1) return ends[0];
  return ends.empty() && loose.size() == 1 ? loose[0] : npos;
}

bool Wiring::split(const FromItem& item, Target& out) const {
  const auto look = [&](const std::string& id, std::string port) {
    if (const auto it = nodes_.find(id); it != nodes_.end()) {
      out = {false, it->second, std::move(port)};
      return true;
    }
    if (const auto it = includes_.find(id); it != includes_.end()) {
      out = {true, it->second, std::move(port)};
      return true;
    }
    return false;
  };
  if (look(item.scope + item.target, "")) return true;
  const auto dot = item.target.rfind('.');
  return dot != std::string::npos &&
         look(item.scope + item.target.substr(0, dot), item.target.substr(dot + 1));
}

/// An include that could not be read has none, and has been reported.
bool Wiring::has_nodes(const RecipeInclude& include) const {
  return std::any_of(recipe_.nodes.begin(), recipe_.nodes.end(), [&](const RecipeNode& n) {
    return n.id.compare(0, include.id.size() + 1, include.id + ".") == 0;
  });
}

void Wiring::connect_include(std::size_t index) {
  RecipeInclude& include = recipe_.includes[index];
  if (include.from.empty()) return;
  if (!has_nodes(include)) {
    for (const FromItem& item : include.from) {
      if (Target t; split(item, t) && !t.include) used_[t.index] = true;
    }
    return;
  }
  const std::size_t input = inputs_[index];
  if (input == npos) {
    diagnostics_.error(
        include.from_where,
        "'" + include.id + "' has no one input: the included recipe must name it with input = \"NODE\"");
    return;
  }
  RecipeNode& node = recipe_.nodes[input];
  if (source(input)) {
    for (const FromItem& item : include.from) {
      if (!item.to_port) continue;
      diagnostics_.error(
          item.to_port_where,
          "'" + include.id + "' has one input without ports: its source '" + node.id + "' is replaced");
      return;
    }
    replaced_[input] = true;
    replaced_source_[input] = index;
  } else if (!node.from.empty()) {
    diagnostics_.error(include.from_where, "the input '" + node.id + "' of '" + include.id +
                                               "' is fed by the included recipe already");
  } else {
    node.from = include.from;
    node.from_where = include.from_where;
    node.live = node.live || include.live;
  }
}

/// Appends what `item` means. `told` is the item at the receiving end, for diagnostics and the receiving
/// port.
void Wiring::expand(const FromItem& item, const FromItem& told, int depth, std::vector<Feed>& out) {
  Target t;
  if (feed_count_ > kMostFeeds) return;
  if (!split(item, t)) {
    ++feed_count_;
    const auto names = names_in(item.scope);
    const auto dot = item.target.rfind('.');
    std::string near = hint(item.target, names, "nodes");
    if (dot != std::string::npos && near.rfind(" (did", 0) != 0)
      near = hint(item.target.substr(0, dot), names, "nodes");
    diagnostics_.error(item.where, "unknown node '" + item.target + "'" + near);
    return;
  }
  if (depth > kDeepest) {
    diagnostics_.error(item.where, "'" + item.target + "' is fed by itself");
    return;
  }
  std::size_t node = t.index;
  if (t.include) {
    const RecipeInclude& include = recipe_.includes[t.index];
    node = outputs_[t.index];
    if (node == npos) {
      if (has_nodes(include))
        diagnostics_.error(
            item.where, "'" + include.id +
                            "' has no one output: the included recipe must name it with output = \"NODE\"");
      return;
    }
    if (sink(node)) {
      if (!t.port.empty()) {
        diagnostics_.error(item.where, "'" + include.id + "' has one output without ports: its sink '" +
                                           recipe_.nodes[node].id + "' is replaced");
        return;
      }
      for (const FromItem& inner : recipe_.nodes[node].from) expand(inner, told, depth + 1, out);
      return;
    }
  }
  if (const auto it = replaced_source_.find(node); it != replaced_source_.end()) {
    for (const FromItem& outer : recipe_.includes[it->second].from) expand(outer, told, depth + 1, out);
    return;
  }
  if (++feed_count_ > kMostFeeds) {
    if (feed_count_ == kMostFeeds + 1) diagnostics_.error(told.where, "a recipe of more than 4096 edges");
    return;
  }
  out.push_back({node, t.port, &told});
}

}  // namespace stream
