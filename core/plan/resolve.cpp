#include "plan/resolve.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "recipe/wording.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream {
namespace {

constexpr std::size_t npos = Plan::npos;

std::vector<std::string> port_names(const std::vector<Port>& ports) {
  std::vector<std::string> out;
  out.reserve(ports.size());
  for (const Port& p : ports) out.push_back(p.name);
  return out;
}

std::size_t port_index(const std::vector<Port>& ports, std::string_view name) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return i;
  }
  return npos;
}

class Resolver {
 public:
  Resolver(FlatRecipe& recipe, const Registry& registry, const Overrides& overrides, Diagnostics& diagnostics)
      : recipe_(recipe),
        registry_(registry),
        overrides_(overrides),
        diagnostics_(diagnostics),
        wiring_(recipe, registry, diagnostics) {}

  Plan resolve() {
    plan_.title = recipe_.title;
    plan_.about = recipe_.about;
    plan_.max_packets = recipe_.max_packets;
    plan_.max_bytes = recipe_.max_bytes;
    plan_.tests = recipe_.tests;
    plan_.params = recipe_.params;
    place_.assign(recipe_.nodes.size(), npos);
    for (std::size_t i = 0; i < recipe_.nodes.size(); ++i) {
      recipe_index_.emplace(recipe_.nodes[i].id, i);
      if (!wiring_.replaced(i)) place_[i] = plan_.nodes.size(), add_node(recipe_.nodes[i]);
    }
    ends();
    for (std::size_t i = 0; i < recipe_.nodes.size(); ++i) {
      if (place_[i] != npos) connect(i);
    }
    outputs();
    live_edges();
    const auto cycle = order_plan(plan_);
    if (!cycle.empty())
      report_cycle(cycle);
    else
      check_types();
    for (PlannedNode& n : plan_.nodes) check_params(n);
    return std::move(plan_);
  }

 private:
  const std::vector<RecipeNode::Param>& given(const PlannedNode& n) const { return source_of(n).params; }
  const RecipeNode& source_of(const PlannedNode& n) const {
    return recipe_.nodes[recipe_index_.find(n.id)->second];
  }

  void add_node(RecipeNode& r) {
    PlannedNode n;
    n.id = r.id;
    n.where = r.where;
    n.on_error = r.on_error;
    n.keys_in_memory = r.keys_in_memory;
    n.op = registry_.find(r.use);
    if (n.op)
      n.contract = n.op->spec.contract();
    else if (!r.use.empty())
      diagnostics_.error(r.use_where, "unknown operator '" + r.use + "'" + operator_hint(r.use));
    if (n.op && n.keys_in_memory != 0 && !n.contract.keyed)
      diagnostics_.error(r.keys_in_memory_where,
                         "keys_in_memory is for operators that keep a state for each key, " +
                             n.op->spec.name() + " keeps one for all");
    plan_.nodes.push_back(std::move(n));
  }

  std::string operator_hint(const std::string& name) const {
    if (std::string found = near(name, registry_.names()); !found.empty()) return found;
    std::vector<std::string> family;
    const auto prefix = name.substr(0, name.find('.') + 1);
    for (const std::string& n : registry_.names()) {
      if (!prefix.empty() && n.compare(0, prefix.size(), prefix) == 0) family.push_back(n);
    }
    return family.empty() ? "; `stream list operators` shows what there is"
                          : " (" + prefix + "* has: " + listed(family) + ")";
  }

  // --- what -i and -o set

  void ends() {
    end(true, recipe_.input, overrides_.input, plan_.input_node);
    end(false, recipe_.output, overrides_.output, plan_.output_node);
  }

  void end(bool input, const std::optional<std::pair<std::string, Location>>& declared,
           const std::optional<std::string>& path, std::size_t& out) {
    const std::string what = input ? "source" : "sink";
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const OperatorInfo* op = plan_.nodes[i].op;
      if (!op || !(input ? op->spec.source() : op->spec.sink())) continue;
      ids.push_back(plan_.nodes[i].id);
      if (!declared) out = ids.size() == 1 ? i : npos;
    }
    if (declared) {
      const std::size_t node = wiring_.find(declared->first, input);
      if (node == npos || place_[node] == npos) {
        std::vector<std::string> all;
        for (const PlannedNode& n : plan_.nodes) all.push_back(n.id);
        diagnostics_.error(declared->second,
                           "unknown node '" + declared->first + "'" + hint(declared->first, all, "nodes"));
        return;
      }
      out = place_[node];
    }
    if (!path) return;
    const Location where{input ? "-i" : "-o"};
    if (out == npos) {
      // A node whose operator is not known, which has been reported, may be the one.
      if (std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [](const PlannedNode& n) { return !n.op; }))
        return;
      diagnostics_.error(where, ids.empty() ? "the recipe has no " + what
                                            : "the recipe has several " + what + "s (" + listed(ids) +
                                                  "): say which with " + (input ? "input" : "output") +
                                                  " = \"NODE\" in it, or use --set NODE.path=FILE");
      return;
    }
    set_path(plan_.nodes[out], *path, where);
  }

  /// The parameter called `path`, else the only one of type path.
  void set_path(const PlannedNode& n, const std::string& path, const Location& where) {
    if (!n.op) return;
    const Param* param = n.op->spec.find_param("path");
    std::size_t paths = 0;
    for (const Param& p : n.op->spec.params()) {
      if (p.type != ParamType::kPath) continue;
      ++paths;
      if (!param) param = &p;
    }
    if (!param || param->type != ParamType::kPath || (param->name != "path" && paths > 1)) {
      diagnostics_.error(where, "node '" + n.id + "' (" + n.op->spec.name() + ") has no path to set");
      return;
    }
    auto& params = const_cast<RecipeNode&>(source_of(n)).params;
    const auto old =
        std::find_if(params.begin(), params.end(), [&](const auto& p) { return p.name == param->name; });
    RecipeNode::Param set{param->name, path, where, where};
    if (old != params.end())
      *old = std::move(set);
    else
      params.push_back(std::move(set));
  }

  // --- parameters

  void check_params(PlannedNode& n) {
    if (!n.op) return;
    const Spec& spec = n.op->spec;
    std::vector<std::string> names;
    for (const Param& p : spec.params()) names.push_back(p.name);
    bool sound = true;
    for (const RecipeNode::Param& p : given(n)) {
      const Param* param = spec.find_param(p.name);
      std::string fault;
      if (!param) {
        std::vector<std::string> keys = names;
        for (const char* key : {"use", "from", "mode", "on_error", "keys_in_memory", "doc", "include"})
          keys.emplace_back(key);
        const std::string found = near(p.name, keys);
        diagnostics_.error(p.where,
                           "unknown parameter '" + p.name + "' of " + spec.name() +
                               (found.empty() ? hint(p.name, names, "it has", "it has none") : found));
        sound = false;
      } else if (p.value.is_null()) {
        sound = false;
      } else if (fault = fault_of(*param, p.value); !fault.empty()) {
        diagnostics_.error(p.value_where, fault);
        sound = false;
      }
      n.params.set(p.name, p.value);
    }
    for (const Param& p : spec.params()) {
      if (!p.required || n.params.find(p.name)) continue;
      diagnostics_.error(n.where, "node '" + n.id + "' needs " + p.name + " = ... (" + name_of(p.type) +
                                      (p.doc.empty() ? "" : ": " + p.doc) + ")");
      sound = false;
    }
    if (!sound) return;
    try {
      n.contract = spec.contract(Params(spec, n.params));
    } catch (const std::exception& e) {
      diagnostics_.error(n.where, "node '" + n.id + "': " + e.what());
    }
  }

  // --- edges

  void connect(std::size_t i) {
    const RecipeNode& r = recipe_.nodes[i];
    const PlannedNode& n = plan_.nodes[place_[i]];
    if (!n.op) return;
    const auto& inputs = n.op->spec.inputs();
    if (inputs.empty()) {
      if (!r.from.empty())
        diagnostics_.error(r.from_where,
                           "node '" + r.id + "' takes no input: " + n.op->spec.name() + " is a source");
      return;
    }
    if (r.from.empty()) {
      if (r.from_where.line == 0 && required_inputs(inputs)) no_input(r, *n.op, place_[i]);
      return;
    }
    const auto feeds = wiring_.feeds(i);
    std::vector<bool> connected(inputs.size());
    bool faulty = wiring_.faulty(i);
    for (const Wiring::Feed& f : feeds) {
      std::size_t to = 0;
      if (f.item->to_port) {
        to = port_index(inputs, *f.item->to_port);
        if (to == npos) {
          faulty = true;
          diagnostics_.error(f.item->to_port_where, "node '" + r.id + "' has no input '" + *f.item->to_port +
                                                        "'" +
                                                        hint(*f.item->to_port, port_names(inputs), "inputs"));
          continue;
        }
      } else if (inputs.size() > 1) {
        // Feeds of one item (an include's several) all go to the port that the item stands for.
        to = static_cast<std::size_t>(f.item - r.from.data());
        if (to >= inputs.size()) {
          faulty = true;
          diagnostics_.error(f.item->where, "node '" + r.id + "' has " + std::to_string(inputs.size()) +
                                                " inputs (" + listed(port_names(inputs)) +
                                                "); nothing is left for this one");
          continue;
        }
      }
      connected[to] = true;
      add_edge(f, place_[i], to, r.live);
    }
    if (faulty) return;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (connected[k] || inputs[k].optional) continue;
      diagnostics_.error(r.from_where, "input '" + inputs[k].name + "' (" + name_of(inputs[k].type) +
                                           ") of node '" + r.id + "' is not connected");
    }
  }

  static bool required_inputs(const std::vector<Port>& inputs) {
    return std::any_of(inputs.begin(), inputs.end(), [](const Port& p) { return !p.optional; });
  }

  void no_input(const RecipeNode& r, const OperatorInfo& op, std::size_t self) {
    if (plan_.input_node == self && recipe_.input) {
      diagnostics_.error(
          r.where, "node '" + r.id +
                       "' takes its input from a recipe that includes this one: it cannot run by itself");
      return;
    }
    std::vector<std::string> candidates;
    for (const PlannedNode& n : plan_.nodes) {
      if (n.op && !n.op->spec.sink() && n.id != r.id) candidates.push_back(n.id);
    }
    diagnostics_.error(r.where, "node '" + r.id + "' has no input: " + op.spec.name() +
                                    " needs from = \"NODE\"" +
                                    (candidates.empty() ? "" : " (nodes: " + listed(candidates) + ")"));
  }

  void add_edge(const Wiring::Feed& f, std::size_t to_node, std::size_t to_port, bool live) {
    const std::size_t from_node = place_[f.node];
    const PlannedNode& from = plan_.nodes[from_node];
    if (!from.op) return;
    const auto& outputs = from.op->spec.outputs();
    std::size_t port = f.port.empty() ? 0 : port_index(outputs, f.port);
    if (port == npos && f.port == "errors") {
      port = from.error_port();
      if (from.on_error != OnError::kDivert) {
        diagnostics_.error(f.item->where,
                           "node '" + from.id + "' diverts nothing: it needs on_error = \"divert\"");
        return;
      }
    } else if (outputs.empty()) {
      diagnostics_.error(f.item->where,
                         "node '" + from.id + "' has no output: " + from.op->spec.name() + " is a sink");
      return;
    } else if (port == npos) {
      diagnostics_.error(f.item->where, "node '" + from.id + "' has no output '" + f.port + "'" +
                                            hint(f.port, port_names(outputs), "outputs"));
      return;
    }
    const bool fresh =
        edge_where_.emplace(std::array{to_node, to_port, from_node, port}, f.item->where).second;
    if (!fresh)
      diagnostics_.warning(f.item->where,
                           "'" + f.item->target + "' is named twice: each packet arrives twice");
    plan_.edges.push_back({from_node, port, to_node, to_port, live, PayloadType::kAny});
  }

  /// Sinks there must be; outputs that nobody uses, and diverted packets that nobody takes, deserve a
  /// warning.
  void outputs() {
    bool all_known = true, any_sink = false;
    for (const PlannedNode& n : plan_.nodes) {
      all_known = all_known && n.op;
      any_sink = any_sink || (n.op && n.op->spec.sink());
    }
    const bool no_sink = all_known && !any_sink && !plan_.nodes.empty();
    if (no_sink) {
      diagnostics_.error(plan_.nodes.back().where, "nothing comes out of this recipe: no node is a sink");
    }
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const PlannedNode& n = plan_.nodes[i];
      if (!n.op) continue;
      bool used = false, diverted = false;
      for (const PlannedEdge& e : plan_.edges) {
        if (e.from_node != i) continue;
        (e.from_port == n.error_port() ? diverted : used) = true;
      }
      if (!used && !n.op->spec.sink() && !no_sink && !referred_to(n)) {
        diagnostics_.warning(n.where, "nobody uses the output of node '" + n.id + "'");
      }
      if (n.on_error == OnError::kDivert && !diverted) {
        diagnostics_.warning(n.where,
                             "nobody takes what node '" + n.id + "' diverts: from = \"" + n.id + ".errors\"");
      }
    }
  }

  /// A node that takes everything holds back what feeds it, and with that the others that want only the
  /// newest.
  void live_edges() {
    std::set<std::size_t> told;
    for (const PlannedEdge& live : plan_.edges) {
      if (!live.live || told.count(live.to_node) != 0) continue;
      const PlannedNode &from = plan_.nodes[live.from_node], &to = plan_.nodes[live.to_node];
      const auto whole = std::find_if(plan_.edges.begin(), plan_.edges.end(), [&](const PlannedEdge& e) {
        return e.from_node == live.from_node && !e.live && e.from_port != from.error_port();
      });
      if (whole == plan_.edges.end()) continue;
      told.insert(live.to_node);
      const std::string& slow = plan_.nodes[whole->to_node].id;
      diagnostics_.warning(edge_where_.at({live.to_node, live.to_port, live.from_node, live.from_port}),
                           "'" + to.id + "' takes '" + from.id + "' live, but '" + slow +
                               "' takes all of it: when '" + slow + "' is slow, it holds '" + from.id +
                               "' back, and '" + to.id +
                               "' gets old packets (mode = \"live\" there as well?)");
    }
  }

  /// Some `from` means the node, though the edge may have been refused.
  bool referred_to(const PlannedNode& n) const {
    const std::size_t i = static_cast<std::size_t>(&source_of(n) - recipe_.nodes.data());
    return wiring_.used(i);
  }

  void report_cycle(const std::vector<std::size_t>& cycle) {
    std::string chain;
    for (const std::size_t n : cycle) chain += plan_.nodes[n].id + " -> ";
    chain += plan_.nodes[cycle.front()].id;
    diagnostics_.error(
        source_of(plan_.nodes[cycle.front()]).from_where,
        "nodes feed each other in a cycle: " + chain + " (a loop must live inside one operator)");
  }

  // --- types

  void check_types() {
    // Ids are where edges were noted, before the nodes were put in order.
    std::map<std::string, std::size_t> noted;
    std::size_t k = 0;
    for (std::size_t i = 0; i < recipe_.nodes.size(); ++i) {
      if (place_[i] != npos) noted[recipe_.nodes[i].id] = k++;
    }
    const std::size_t count = plan_.nodes.size();
    std::vector<PayloadType> first_input(count, PayloadType::kAny), error_type(count, PayloadType::kAny);
    std::vector<bool> seen(count);
    for (PlannedEdge& e : plan_.edges) {  // sorted by to_node: whatever feeds a node has been typed before
      const PlannedNode& from = plan_.nodes[e.from_node];
      const PlannedNode& to = plan_.nodes[e.to_node];
      if (e.from_port == from.error_port())
        e.type = error_type[e.from_node];
      else
        e.type = from.op->spec.outputs()[e.from_port].type;
      if (e.type == PayloadType::kAny && e.from_port != from.error_port()) e.type = first_input[e.from_node];
      const Port& port = to.op->spec.inputs()[e.to_port];
      if (!seen[e.to_node]) {
        seen[e.to_node] = true;
        first_input[e.to_node] = error_type[e.to_node] = e.type != PayloadType::kAny ? e.type : port.type;
      } else if (error_type[e.to_node] != e.type) {
        error_type[e.to_node] = PayloadType::kAny;
      }
      if (e.type == PayloadType::kAny || port.type == PayloadType::kAny || e.type == port.type) continue;
      const auto where = edge_where_.at({noted[to.id], e.to_port, noted[from.id], e.from_port});
      diagnostics_.error(where, "types do not fit: " + end_text(from, e.from_port, true) + " gives " +
                                    name_of(e.type) + ", " + end_text(to, e.to_port, false) + " takes " +
                                    name_of(port.type) + converters(e.type, port.type));
    }
  }

  static std::string end_text(const PlannedNode& n, std::size_t port, bool output) {
    const auto& ports = output ? n.op->spec.outputs() : n.op->spec.inputs();
    return "'" + n.id + "." + (port < ports.size() ? ports[port].name : "errors") + "' (" +
           n.op->spec.name() + ")";
  }

  std::string converters(PayloadType from, PayloadType to) const {
    std::vector<std::string> found;
    for (const std::string& name : registry_.names()) {
      const Spec& spec = registry_.find(name)->spec;
      if (!spec.inputs().empty() && !spec.outputs().empty() && spec.inputs()[0].type == from &&
          spec.outputs()[0].type == to) {
        found.push_back(name);
      }
    }
    return found.empty() ? "" : "; between them could stand: " + listed(found);
  }

  FlatRecipe& recipe_;
  const Registry& registry_;
  const Overrides& overrides_;
  Diagnostics& diagnostics_;
  Wiring wiring_;
  Plan plan_;
  std::vector<std::size_t> place_;  ///< recipe node -> plan node before ordering
  std::map<std::string, std::size_t, std::less<>> recipe_index_;
  std::map<std::array<std::size_t, 4>, Location>
      edge_where_;  ///< by receiving node and port, giving node and port
};

}  // namespace

Plan resolve_recipe(FlatRecipe recipe, const Registry& registry, const Overrides& overrides,
                    Diagnostics& diagnostics) {
  return Resolver(recipe, registry, overrides, diagnostics).resolve();
}

}  // namespace stream
