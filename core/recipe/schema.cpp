#include <cmath>

#include "recipe/recipe.hpp"

namespace stream {
namespace {

Object described(Object schema, const std::string& doc) {
  if (!doc.empty()) schema.set("description", doc);
  return schema;
}

Value definition(const std::string& name) { return Object{{"$ref", "#/$defs/" + name}}; }

Object number_schema(const Param& p, const char* type) {
  Object s{{"type", type}};
  if (p.range && std::isfinite(p.range->low)) s.set("minimum", p.range->low);
  if (p.range && std::isfinite(p.range->high)) s.set("maximum", p.range->high);
  return s;
}

Object plain_schema(const Param& p) {
  switch (p.type) {
    case ParamType::kBool:
      return {{"type", "boolean"}};
    case ParamType::kInteger:
      return number_schema(p, "integer");
    case ParamType::kNumber:
      return number_schema(p, "number");
    case ParamType::kDuration:
      return {{"type", Array{"string", "number"}}};
    case ParamType::kIntegers:
      return {{"type", "array"}, {"items", number_schema(p, "integer")}};
    case ParamType::kNumbers:
      return {{"type", "array"}, {"items", number_schema(p, "number")}};
    case ParamType::kStrings:
      return {{"type", "array"}, {"items", Object{{"type", "string"}}}};
    case ParamType::kString:
    case ParamType::kPath:
      break;
  }
  Object s{{"type", "string"}};
  if (p.choices.empty()) return s;
  Array names;
  for (const std::string& c : p.choices) names.emplace_back(c);
  s.set("enum", std::move(names));
  return s;
}

/// A parameter, or a placeholder that stands for one.
Value param_schema(const Param& p) {
  Object s{{"anyOf", Array{plain_schema(p), definition("placeholder")}}};
  s = described(std::move(s), p.doc + (p.unit.empty() ? "" : " (" + p.unit + ")"));
  if (!p.fallback.is_null()) s.set("default", p.fallback);
  return s;
}

Object node_keys() {
  return {{"from", definition("from")},
          {"mode", Object{{"enum", Array{"lossless", "live"}},
                          {"description", "live keeps the newest packet and drops the rest"}}},
          {"doc", Object{{"type", "string"}}}};
}

/// The table of a node with this operator.
Value operator_schema(const Spec& spec) {
  Object properties = node_keys();
  properties.set("use", Object{{"const", spec.name()}, {"description", spec.summary()}});
  properties.set("on_error", definition("on_error"));
  if (spec.contract().keyed) properties.set("keys_in_memory", definition("keys_in_memory"));
  Array required{"use"};
  bool needs_input = false;
  for (const Port& p : spec.inputs()) needs_input = needs_input || !p.optional;
  if (needs_input) required.emplace_back("from");
  for (const Param& p : spec.params()) {
    if (properties.find(p.name)) continue;
    properties.set(p.name, param_schema(p));
    if (p.required) required.emplace_back(p.name);
  }
  return Object{{"description", spec.summary()},
                {"type", "object"},
                {"properties", std::move(properties)},
                {"required", std::move(required)},
                {"additionalProperties", false}};
}

Value node_schema(const Registry& registry) {
  Array names, cases;
  for (const std::string& name : registry.names()) {
    names.emplace_back(name);
    cases.push_back(Object{
        {"if", Object{{"properties", Object{{"use", Object{{"const", name}}}}}, {"required", Array{"use"}}}},
        {"then", definition("operator:" + name)}});
  }
  Object included = node_keys();
  included.set("include", Object{{"type", "string"},
                                 {"description", "another recipe; its parameters are set in this table"}});
  Object properties{{"use", Object{{"enum", std::move(names)}, {"description", "the operator"}}}};
  for (const auto& [key, value] : included) properties.set(key, value);
  Object schema{{"type", "object"},
                {"properties", std::move(properties)},
                {"oneOf", Array{Object{{"required", Array{"use"}}}, Object{{"required", Array{"include"}}}}}};
  // An empty allOf is no schema.
  if (!cases.empty()) schema.set("allOf", std::move(cases));
  return schema;
}

Value declaration_schema() {
  return Object{
      {"type", "object"},
      {"properties",
       Object{
           {"type", Object{{"enum", Array{"boolean", "integer", "number", "string", "duration", "path",
                                          "integers", "numbers", "strings"}}}},
           {"default", true},
           {"doc", Object{{"type", "string"}}},
           {"choices", Object{{"type", "array"}, {"items", Object{{"type", "string"}}}, {"minItems", 1}}},
           {"range",
            Object{
                {"type", "array"}, {"items", Object{{"type", "number"}}}, {"minItems", 2}, {"maxItems", 2}}},
           {"unit", Object{{"type", "string"}}},
           {"env",
            Object{{"type", "string"}, {"description", "environment variable that gives the value"}}}}},
      {"additionalProperties", false}};
}

Value test_schema() {
  return Object{{"type", "object"},
                {"properties", Object{{"input", Object{{"type", "string"}}},
                                      {"expect", Object{{"type", "string"}}},
                                      {"tolerance", Object{{"type", "number"}, {"minimum", 0}}},
                                      {"params", Object{{"type", "object"}}}}},
                {"required", Array{"expect"}},
                {"additionalProperties", false}};
}

Value from_schema() {
  const Value name = Object{{"type", "string"}};
  const Value names = Object{{"type", "array"}, {"items", name}, {"minItems", 1}};
  return Object{{"description", "NODE, NODE.PORT, a list of those, or a table PORT = NODE"},
                {"anyOf", Array{name, names,
                                Object{{"type", "object"},
                                       {"additionalProperties", Object{{"anyOf", Array{name, names}}}}}}}};
}

}  // namespace

Value recipe_schema(const Registry& registry) {
  Object defs{
      {"placeholder", Object{{"type", "string"}, {"pattern", "\\$\\{params\\.[A-Za-z0-9_-]+\\}"}}},
      {"from", from_schema()},
      {"on_error", Object{{"enum", Array{"stop", "skip", "divert"}}}},
      {"keys_in_memory",
       Object{{"anyOf", Array{Object{{"type", "integer"}, {"minimum", 1}}, definition("placeholder")}},
              {"description", "most keys whose state is kept in memory; the others' is on disk"}}},
      {"parameter", declaration_schema()},
      {"test", test_schema()},
      {"node", node_schema(registry)}};
  for (const std::string& name : registry.names())
    defs.set("operator:" + name, operator_schema(registry.find(name)->spec));
  const Value count = Object{{"type", "integer"}, {"minimum", 1}};
  return Object{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "stream recipe"},
      {"type", "object"},
      {"properties",
       Object{
           {"title", Object{{"type", "string"}}},
           {"about", Object{{"type", "string"}}},
           {"input", Object{{"type", "string"}, {"description", "the node that -i sets"}}},
           {"output", Object{{"type", "string"}, {"description", "the node that -o sets"}}},
           {"params", Object{{"type", "object"}, {"additionalProperties", definition("parameter")}}},
           {"limits", Object{{"type", "object"},
                             {"properties", Object{{"packets", count}, {"bytes", count}}},
                             {"additionalProperties", false}}},
           {"nodes",
            Object{{"type", "object"}, {"additionalProperties", definition("node")}, {"minProperties", 1}}},
           {"test", Object{{"type", "array"}, {"items", definition("test")}}}}},
      {"required", Array{"nodes"}},
      {"additionalProperties", false},
      {"$defs", std::move(defs)}};
}

}  // namespace stream
