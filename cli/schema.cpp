/// stream schema: the JSON schema of recipes, for editors.
#include "plans.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Schema final : public Verb {
 public:
  Schema()
      : Verb("schema", "Print the JSON schema of recipes, with every operator's parameters, for editors.") {
    example("for an editor with a TOML language server", "stream schema > recipe.schema.json");
  }
  int run() override {
    Registry registry;
    scan_plugins(registry);
    print(recipe_schema(registry).dump(2) + "\n");
    return 0;
  }
};

}  // namespace

std::unique_ptr<Verb> make_schema() { return std::make_unique<Schema>(); }

}  // namespace stream::cli
