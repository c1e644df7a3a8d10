#include "check/setup.hpp"

#include "stream/error.hpp"

namespace stream::laws {

Value Setup::to_value() const {
  return Object{{"library", library}, {"operator", operation},
                {"params", params},   {"recipe_dir", recipe_dir},
                {"device", device},   {"seed", std::to_string(seed)},
                {"timeout", timeout}, {"memory", static_cast<std::int64_t>(memory)},
                {"scratch", scratch}};
}

Setup Setup::from_value(const Value& value) {
  const Object& o = value.as_object();
  const auto at = [&](const char* name) -> const Value& {
    const Value* member = o.find(name);
    if (member == nullptr) throw failed(std::string("the setup of a check lacks '") + name + "'");
    return *member;
  };
  Setup s;
  s.library = at("library").as_string();
  s.operation = at("operator").as_string();
  s.params = at("params").as_object();
  s.recipe_dir = at("recipe_dir").as_string();
  s.device = at("device").as_string();
  s.seed = std::stoull(at("seed").as_string());
  s.timeout = at("timeout").as_double();
  s.memory = static_cast<std::uint64_t>(at("memory").as_integer());
  s.scratch = at("scratch").as_string();
  return s;
}

const Param* path_param(const Spec& spec) {
  const Param* only = nullptr;
  for (const Param& p : spec.params()) {
    if (p.type != ParamType::kPath) continue;
    if (p.name == "path") return &p;
    if (only != nullptr) return nullptr;
    only = &p;
  }
  return only;
}

}  // namespace stream::laws
