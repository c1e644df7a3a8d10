/// stream list: what there is. Reads manifests and recipes; loads no plugin.
#include "plans.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

struct Item {
  std::string name, about;
};

std::vector<Item> operators(const Registry& registry, bool formats_only) {
  std::vector<Item> items;
  for (const std::string& name : registry.names()) {
    if (formats_only) {
      const Spec& spec = registry.find(name)->spec;
      if (!spec.source() && !spec.sink()) continue;
    }
    items.push_back({name, registry.summary(name)});
  }
  return items;
}

std::vector<Item> environments(const Registry& registry) {
  std::vector<Item> items;
  for (const std::string& name : registry.environment_names())
    items.push_back({name, registry.environment_summary(name)});
  return items;
}

std::vector<Item> plugins(const Registry& registry) {
  std::vector<Item> items;
  for (const PluginInfo& plugin : registry.plugins()) {
    std::vector<std::string> parts = plugin.operators;
    parts.insert(parts.end(), plugin.environments.begin(), plugin.environments.end());
    items.push_back({plugin.name, plugin.version + ", " + plugin.licence + ": " + join(parts, ", ")});
  }
  return items;
}

std::vector<Item> recipes(const Registry& registry, bool studies) {
  std::vector<Item> items;
  for (const NamedRecipe& recipe : named_recipes(studies)) {
    Diagnostics diagnostics;
    const Plan plan = plan_recipe(recipe.path, registry, {}, diagnostics);
    items.push_back({recipe.name, diagnostics.has_errors()
                                      ? "(has faults: see 'stream validate " + recipe.name + "')"
                                  : plan.title.empty() ? recipe.path
                                                       : plan.title});
  }
  return items;
}

class List final : public Verb {
 public:
  List() : Verb("list", "List operators, environments, plugins, formats, recipes or studies.") {
    option("KIND", "KIND", &kind_, "what to list").choices = {"operators", "environments", "plugins",
                                                              "formats",   "recipes",      "studies"};
    option("--json", "", &json_, "one JSON array of {\"name\", \"about\"}");
    example("operators, the default", "stream list");
    example("what reads and writes", "stream list formats");
    example("worlds for agents", "stream list environments");
    example("recipes that can be run by name", "stream list recipes --json");
  }

  int run() override {
    Registry registry;
    scan_plugins(registry);
    const auto items = kind_ == "plugins"        ? plugins(registry)
                       : kind_ == "environments" ? environments(registry)
                       : kind_ == "recipes"      ? recipes(registry, false)
                       : kind_ == "studies"      ? recipes(registry, true)
                                                 : operators(registry, kind_ == "formats");
    if (json_) {
      Array array;
      for (const Item& item : items) array.emplace_back(Object{{"name", item.name}, {"about", item.about}});
      print(Value(std::move(array)).dump(2) + "\n");
      return 0;
    }
    Table table;
    for (const Item& item : items) table.row({item.name, item.about});
    print(table.text());
    return 0;
  }

 private:
  std::string kind_ = "operators";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_list() { return std::make_unique<List>(); }

}  // namespace stream::cli
