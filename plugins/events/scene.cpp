#include "events/scene.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "stream/error.hpp"

namespace stream::events {

namespace {

const Value& member(const Object& object, const char* name, const std::string& of) {
  const Value* value = object.find(name);
  if (!value || value->is_null())
    throw EventFault("missing", of + ": member '" + std::string(name) + "' is missing");
  return *value;
}

const Array& list(const Object& object, const char* name) {
  const Value& value = member(object, name, "step");
  if (!value.is_array())
    throw EventFault("type",
                     "member '" + std::string(name) + "' is of type " + value.kind() + ", expected an array");
  return value.as_array();
}

const Object& entry(const Value& value, const std::string& of) {
  if (!value.is_object())
    throw EventFault("type", of + " is of type " + value.kind() + ", expected an object");
  return value.as_object();
}

class Ids {
 public:
  std::string id(const Value& value, const std::string& of) {
    if (!value.is_string() && !value.is_integer())
      throw EventFault("type", of + ": the id is of type " + value.kind() + ", expected a string or integer");
    const Kind kind = value.is_string() ? kText : kNumber;
    if (kind_ != kUnknown && kind != kind_)
      throw EventFault("id-kind", of + ": the id is a " + (kind == kText ? "string" : "number") +
                                      " and others of the step are not");
    kind_ = kind;
    std::string out = value.is_string() ? value.as_string() : std::to_string(value.as_integer());
    if (out.empty()) throw EventFault("missing", of + ": the id is empty");
    return out;
  }

 private:
  enum Kind : std::uint8_t { kUnknown, kNumber, kText };
  Kind kind_ = kUnknown;
};

std::int32_t index(const std::vector<std::string>& names, const Value& value, const std::string& of,
                   const char* fault) {
  if (!value.is_string())
    throw EventFault("type", of + " is of type " + value.kind() + ", expected a string");
  const auto at = std::find(names.begin(), names.end(), value.as_string());
  if (at == names.end())
    throw EventFault(fault, of + " '" + value.as_string() + "' is not known to the model" +
                                did_you_mean(value.as_string(), names));
  return static_cast<std::int32_t>(at - names.begin());
}

void add(std::vector<std::string>& names, const Value* value) {
  if (value && value->is_string() && std::find(names.begin(), names.end(), value->as_string()) == names.end())
    names.push_back(value->as_string());
}

}  // namespace

Scene SceneVocabulary::scene(const Object& record, double time) const {
  Scene scene;
  scene.time = time;
  const Array& nodes = list(record, "nodes");
  if (nodes.size() > kMostNodes)
    throw EventFault("too-many", std::to_string(nodes.size()) + " nodes in a step, expected " +
                                     std::to_string(kMostNodes) + " at the most");
  std::unordered_map<std::string, std::int32_t> known;
  Ids ids;
  for (const Value& value : nodes) {
    const std::string of = "node " + std::to_string(scene.nodes.size() + 1);
    const Object& object = entry(value, of);
    SceneNode node;
    node.id = ids.id(member(object, "id", of), of);
    node.type = index(types, member(object, "type", of), of + ": type", "unknown-type");
    const Value* x = object.find("x");
    if (!x && features > 0) throw EventFault("missing", of + ": member 'x' is missing");
    if (x && !x->is_array()) throw EventFault("type", of + ": x is of type " + x->kind());
    const std::size_t count = x ? x->as_array().size() : 0;
    if (static_cast<std::int64_t>(count) != features)
      throw EventFault("features", of + " has " + std::to_string(count) + " numbers, expected " +
                                       std::to_string(features));
    for (std::size_t i = 0; i < count; ++i) {
      const Value& number = x->as_array()[i];
      if (!number.is_number()) throw EventFault("type", of + ": x holds a " + number.kind());
      if (!(std::abs(number.as_double()) < 1e9)) throw EventFault("features", of + ": x is beyond 1e9");
      node.x.push_back(static_cast<float>(number.as_double()));
    }
    if (!known.emplace(node.id, static_cast<std::int32_t>(scene.nodes.size())).second)
      throw EventFault("duplicate-id", "there are two nodes '" + node.id + "' in the step");
    scene.nodes.push_back(std::move(node));
  }
  const Value* edges = record.find("edges");
  if (!edges) return scene;
  const Array& all = list(record, "edges");
  if (all.size() > kMostEdges)
    throw EventFault("too-many", std::to_string(all.size()) + " edges in a step, expected " +
                                     std::to_string(kMostEdges) + " at the most");
  for (const Value& value : all) {
    const std::string of = "edge " + std::to_string(scene.edges.size() + 1);
    const Object& object = entry(value, of);
    const auto end = [&](const char* name) {
      const std::string id = ids.id(member(object, name, of), of);
      const auto at = known.find(id);
      if (at == known.end())
        throw EventFault("unknown-id", of + ": there is no node '" + id + "' in the step");
      return at->second;
    };
    const std::int32_t src = end("src"), dst = end("dst");
    scene.edges.push_back(
        {src, dst, index(relations, member(object, "rel", of), of + ": relation", "unknown-relation")});
  }
  return scene;
}

void SceneVocabulary::learn(const Object& record) {
  if (const Value* nodes = record.find("nodes"); nodes && nodes->is_array())
    for (const Value& node : nodes->as_array()) {
      if (!node.is_object()) continue;
      add(types, node.as_object().find("type"));
      const Value* x = node.as_object().find("x");
      if (features == 0 && x && x->is_array()) features = static_cast<std::int64_t>(x->as_array().size());
    }
  if (const Value* edges = record.find("edges"); edges && edges->is_array())
    for (const Value& edge : edges->as_array())
      if (edge.is_object()) add(relations, edge.as_object().find("rel"));
}

void SceneVocabulary::save(Archive& group) const {
  const auto text = [](const std::vector<std::string>& names) {
    Array list;
    for (const std::string& name : names) list.emplace_back(name);
    return Value(std::move(list)).dump();
  };
  group.set("types", text(types));
  group.set("relations", text(relations));
  group.set("features", features);
}

SceneVocabulary SceneVocabulary::load(const Archive& group) {
  SceneVocabulary v;
  for (const auto& [name, into] : {std::pair{"types", &v.types}, std::pair{"relations", &v.relations}}) {
    const Value list = Value::parse(group.get<std::string>(name));
    for (const Value& value : list.as_array()) into->push_back(value.as_string());
    if (into->size() > 1024) throw bad_data(std::string("there are more than 1024 ") + name);
  }
  v.features = group.get<std::int64_t>("features");
  if (v.types.empty() || v.features < 0 || v.features > 4096)
    throw bad_data("the vocabulary of scenes is not one");
  return v;
}

Object record_of(const Scene& scene, const SceneVocabulary& vocabulary) {
  Array nodes, edges;
  for (const SceneNode& node : scene.nodes) {
    Array x;
    for (const float value : node.x) x.emplace_back(std::round(static_cast<double>(value) * 1e4) / 1e4);
    nodes.emplace_back(Object{{"id", node.id},
                              {"type", vocabulary.types[static_cast<std::size_t>(node.type)]},
                              {"x", std::move(x)}});
  }
  for (const SceneEdge& edge : scene.edges)
    edges.emplace_back(Object{{"src", scene.nodes[static_cast<std::size_t>(edge.src)].id},
                              {"dst", scene.nodes[static_cast<std::size_t>(edge.dst)].id},
                              {"rel", vocabulary.relations[static_cast<std::size_t>(edge.relation)]}});
  return Object{{"t", scene.time}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace stream::events
