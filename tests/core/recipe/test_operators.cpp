#include "test_operators.hpp"

namespace stream::test {
namespace {

OperatorEntry entry(Spec spec) {
  return {std::move(spec), [](const Params&) -> std::unique_ptr<Operator> { return nullptr; }};
}

}  // namespace

World::World() {
  using namespace std::chrono_literals;
  std::vector<OperatorEntry> e;
  e.push_back(entry(Spec("src", "Audio.")
                        .output<Audio>("out")
                        .path("path", "-", "file to read")
                        .param("rate", 16000, "rate", range(1, 384000))));
  e.push_back(entry(Spec("recog", "Words.")
                        .input<Audio>("in")
                        .output<Record>("out")
                        .output<Tensor>("frames")
                        .path("model", nullptr, "weights")
                        .param("beam", 4, "beam width", at_least(1))
                        .contract({.cost = Cost::kHeavy})));
  e.push_back(entry(Spec("say", "Text.").input<Record>("in").output<Text>("out")));
  e.push_back(entry(Spec("mix", "Sum.").input<Audio>("a").input<Audio>("b").output<Audio>("out")));
  e.push_back(
      entry(Spec("gate", "Gate.").input<Audio>("in").optional_input<Record>("key").output<Audio>("out")));
  e.push_back(entry(Spec("pass", "The same.").input<Payload>("in").output<Payload>("out")));
  e.push_back(entry(Spec("out", "Records.").input<Record>("in").path("path", "-", "file to write")));
  e.push_back(entry(Spec("text.out", "Text.").input<Text>("in").path("path", "-", "file to write")));
  e.push_back(entry(Spec("sink", "Anything.").input<Payload>("in")));
  e.push_back(entry(Spec("knobs", "One of each.")
                        .input<Payload>("in")
                        .output<Payload>("out")
                        .param("flag", false, "a flag")
                        .param("count", 3, "a count", range(0, 10))
                        .param("gain", 0.0, "a gain", range(-96, 96))
                        .param("name", "x", "a name")
                        .param("mood", "calm", "a mood", choices({"calm", "wild"}))
                        .param("wait", 1s, "a while")
                        .param("sizes", std::vector<std::int64_t>{1, 2}, "sizes")
                        .param("weights", std::vector<double>{0.5}, "weights")
                        .param("labels", std::vector<std::string>{}, "labels")));
  add(std::move(e), "test");
}

const World& world() {
  static const World w;
  return w;
}

Planned plan(const std::string& toml, const Overrides& overrides, const std::string& dir) {
  Planned out;
  out.plan = plan_recipe_text(toml, world(), overrides, out.diagnostics, dir);
  return out;
}

std::string edges(const Plan& plan) {
  std::string out;
  for (const PlannedEdge& e : plan.edges) {
    const PlannedNode &from = plan.nodes[e.from_node], &to = plan.nodes[e.to_node];
    out += out.empty() ? "" : " ";
    out += from.id;
    if (e.from_port == from.error_port())
      out += ".errors";
    else if (e.from_port > 0)
      out += "." + from.op->spec.outputs()[e.from_port].name;
    out += e.live ? "~>" : ">";
    out += to.id;
    if (e.to_port > 0) out += "." + to.op->spec.inputs()[e.to_port].name;
    out += std::string(":") + name_of(e.type);
  }
  return out;
}

std::string chains(const Plan& plan) {
  std::string out;
  for (const auto& chain : plan.chains) {
    if (!out.empty()) out += "|";
    for (std::size_t i = 0; i < chain.size(); ++i) out += (i ? " " : "") + plan.nodes[chain[i]].id;
  }
  return out;
}

}  // namespace stream::test
