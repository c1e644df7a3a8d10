/// stream inspect: everything about one operator, environment, plugin or recipe. Loads no plugin.
#include "operator_page.hpp"
#include "plans.hpp"
#include "stream/error.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

Value plugin_value(const PluginInfo& plugin) {
  Array operators(plugin.operators.begin(), plugin.operators.end());
  Array environments(plugin.environments.begin(), plugin.environments.end());
  return Object{{"plugin", plugin.name},
                {"version", plugin.version},
                {"licence", plugin.licence},
                {"library", plugin.library.string()},
                {"operators", std::move(operators)},
                {"environments", std::move(environments)}};
}

std::string plugin_page(const PluginInfo& plugin, const Registry& registry) {
  Table table(2);
  table.row({"version", plugin.version});
  table.row({"licence", plugin.licence});
  table.row({"library", plugin.library.string()});
  table.row({"manifest", plugin.manifest.string()});
  std::string out = plugin.name + "\n  plugin\n\nPlugin\n" + table.text();
  Table operators(2), environments(2);
  for (const std::string& name : plugin.operators) operators.row({name, registry.summary(name)});
  for (const std::string& name : plugin.environments)
    environments.row({name, registry.environment_summary(name)});
  if (!plugin.operators.empty()) out += "\nOperators\n" + operators.text();
  if (!plugin.environments.empty()) out += "\nEnvironments\n" + environments.text();
  return out;
}

Value recipe_value(const Plan& plan) {
  Array nodes, edges;
  for (const PlannedNode& node : plan.nodes) {
    nodes.emplace_back(Object{{"id", node.id}, {"use", node.op->spec.name()}, {"params", node.params}});
  }
  const auto port = [](const std::vector<Port>& ports, std::size_t i) {
    return i < ports.size() ? ports[i].name : std::string("errors");
  };
  for (const PlannedEdge& e : plan.edges) {
    const PlannedNode &from = plan.nodes[e.from_node], &to = plan.nodes[e.to_node];
    edges.emplace_back(Object{{"from", from.id + "." + port(from.op->spec.outputs(), e.from_port)},
                              {"to", to.id + "." + port(to.op->spec.inputs(), e.to_port)},
                              {"type", name_of(e.type)},
                              {"live", e.live}});
  }
  Array params;
  for (const RecipeParam& p : plan.params) {
    Object o{{"name", p.param.name}, {"type", name_of(p.param.type)}, {"doc", p.param.doc}};
    if (!p.param.required) o.set("default", p.param.fallback);
    if (!p.value.is_null()) o.set("value", p.value);
    if (!p.param.unit.empty()) o.set("unit", p.param.unit);
    if (!p.env.empty()) o.set("env", p.env);
    if (!p.param.choices.empty()) o.set("choices", Array(p.param.choices.begin(), p.param.choices.end()));
    if (p.param.range) o.set("range", Array{p.param.range->low, p.param.range->high});
    params.emplace_back(std::move(o));
  }
  return Object{{"recipe", plan.file},
                {"title", plan.title},
                {"about", plan.about},
                {"params", std::move(params)},
                {"nodes", std::move(nodes)},
                {"edges", std::move(edges)},
                {"tests", static_cast<std::int64_t>(plan.tests.size())}};
}

/// "params.language   string = "en": en, de   what is spoken (or $LANGUAGE)"
std::string params_table(const Plan& plan) {
  Table table(2);
  for (const RecipeParam& p : plan.params) {
    std::string kind = name_of(p.param.type);
    if (!p.param.unit.empty()) kind += " in " + p.param.unit;
    if (!p.param.required) kind += " = " + p.param.fallback.dump();
    if (!p.param.choices.empty()) kind += " (" + join(p.param.choices, ", ") + ")";
    table.row({"params." + p.param.name, kind, p.param.doc + (p.env.empty() ? "" : " (or $" + p.env + ")")});
  }
  return table.text();
}

std::string recipe_page(const Plan& plan) {
  std::string out = plan.file + "\n  " + (plan.title.empty() ? "recipe" : plan.title) + "\n";
  if (!plan.about.empty()) out += "\nAbout\n  " + wrapped(plan.about, 106, 2) + "\n";
  if (!plan.params.empty()) out += "\nParameters\n" + params_table(plan);
  out += "\nNodes\n";
  Table table(2);
  for (const PlannedNode& node : plan.nodes)
    table.row({node.id, node.op->spec.name(), node.params.empty() ? "" : Value(node.params).dump()});
  out += table.text() + "\nInput and output\n";
  Table ends(2);
  ends.row({"-i sets", plan.input_node == Plan::npos ? "nothing" : plan.nodes[plan.input_node].id});
  ends.row({"-o sets", plan.output_node == Plan::npos ? "nothing" : plan.nodes[plan.output_node].id});
  return out + ends.text() + "\nTests\n  " + std::to_string(plan.tests.size()) + "\n";
}

class Inspect final : public Verb {
 public:
  Inspect() : Verb("inspect", "Show everything about an operator, an environment, a plugin or a recipe.") {
    option("NAME", "NAME", &name_, "operator, environment, plugin or recipe").required = true;
    option("--json", "", &json_, "as JSON");
    option("--man", "", &man_, "an operator's man page, in scdoc's markup");
    example("ports, parameters and contract of an operator", "stream inspect text.read");
    example("parameters, observations and actions of an environment", "stream inspect cartpole");
    example("the same for programs", "stream inspect text.read --json");
  }

  int run() override {
    Registry registry;
    scan_plugins(registry);
    if (const OperatorInfo* info = registry.find(name_)) {
      print(json_  ? operator_value(*info).dump(2) + "\n"
            : man_ ? operator_man_page(*info)
                   : operator_page(*info));
      return 0;
    }
    if (const EnvironmentInfo* info = registry.find_environment(name_); info && !man_) {
      print(json_ ? environment_value(*info).dump(2) + "\n" : environment_page(*info));
      return 0;
    }
    if (man_) throw no_input("no operator is called '" + name_ + "'" + did_you_mean(name_, registry.names()));
    for (const PluginInfo& plugin : registry.plugins()) {
      if (plugin.name != name_) continue;
      print(json_ ? plugin_value(plugin).dump(2) + "\n" : plugin_page(plugin, registry));
      return 0;
    }
    if (!is_recipe())
      throw no_input("no operator, environment, plugin or recipe is called '" + name_ + "'" +
                     did_you_mean(name_, everything(registry)));
    const Plan plan = load_plan(name_, registry);
    print(json_ ? recipe_value(plan).dump(2) + "\n" : recipe_page(plan));
    return 0;
  }

 private:
  bool is_recipe() const {
    try {
      return !find_recipe(name_).empty();
    } catch (const Error&) {
      return false;
    }
  }
  std::vector<std::string> everything(const Registry& registry) const {
    std::vector<std::string> names = registry.names();
    for (const std::string& name : registry.environment_names()) names.push_back(name);
    for (const PluginInfo& plugin : registry.plugins()) names.push_back(plugin.name);
    for (const bool studies : {false, true}) {
      for (const NamedRecipe& recipe : named_recipes(studies)) names.push_back(recipe.name);
    }
    return names;
  }
  std::string name_;
  bool json_ = false, man_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_inspect() { return std::make_unique<Inspect>(); }

}  // namespace stream::cli
