/// stream graph: a picture of a recipe's plan, or the flat recipe.
#include "plan/render.hpp"
#include "plans.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

class Graph final : public Verb {
 public:
  Graph() : Verb("graph", "Draw a recipe's graph, or print it flat.") {
    option("RECIPE", "RECIPE", &recipe_, "recipe by path or bare name").required = true;
    option("-f,--format", "FORMAT", &format_, "what to print").choices = {"dot", "mermaid", "svg"};
    option("--expand", "", &expand_, "print the flat recipe instead, with includes and parameters filled in");
    option("--set", "NODE.PARAM=VALUE", &settings_, "change a parameter first");
    example("for Graphviz", "stream graph copy-lines");
    example("a picture for a browser", "stream graph copy-lines --format svg > copy-lines.svg");
    example("what the includes come to", "stream graph copy-lines --expand");
  }

  int run() override {
    Registry registry;
    scan_plugins(registry);
    const Plan plan = load_plan(recipe_, registry, {parse_settings(settings_), {}, {}});
    print(expand_                ? to_toml(plan)
          : format_ == "svg"     ? to_svg(plan)
          : format_ == "mermaid" ? to_mermaid(plan)
                                 : to_dot(plan));
    return 0;
  }

 private:
  std::string recipe_, format_ = "dot";
  bool expand_ = false;
  std::vector<std::string> settings_;
};

}  // namespace

std::unique_ptr<Verb> make_graph() { return std::make_unique<Graph>(); }

}  // namespace stream::cli
