#include "events/scene_mapping.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "events/event_mapping.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::events {

namespace {

std::vector<std::string> names(const Value& value) {
  std::vector<std::string> out;
  for (const Value& name : value.as_array()) out.push_back(name.as_string());
  return out;
}

/// Calls `set(name, value)`, which says whether there is such a member, for each one of an object.
template <typename F>
void each_member(const Value& value, const std::vector<std::string>& known, F&& set) {
  for (const auto& [name, member] : value.as_object()) {
    try {
      if (!set(name, member)) throw bad_data("is no part of a mapping" + did_you_mean(name, known));
    } catch (const Error& e) {
      throw e.within("member '" + name + "'");
    }
  }
}

bool set_node(SceneMapping::Nodes& nodes, const std::string& name, const Value& value) {
  if (name == "id") return nodes.id = value.as_string(), true;
  if (name == "type") return nodes.type = value.as_string(), true;
  if (name == "as") return nodes.as = value.as_string(), true;
  if (name == "prefix") return nodes.prefix = value.as_string(), true;
  if (name == "features") return nodes.features = names(value), true;
  return false;
}

SceneMapping::Nodes nodes_of(const Value& value) {
  SceneMapping::Nodes nodes;
  each_member(value, {"list", "id", "type", "as", "prefix", "features", "optional"},
              [&](const std::string& name, const Value& member) {
                if (name == "list") return nodes.list = member.as_string(), true;
                if (name == "optional") return nodes.optional = member.as_bool(), true;
                return set_node(nodes, name, member);
              });
  return nodes;
}

SceneMapping::Edges edges_of(const Value& value) {
  SceneMapping::Edges edges;
  each_member(value, {"list", "src", "dst", "groups", "relation", "as", "optional"},
              [&](const std::string& name, const Value& member) {
                if (name == "optional") return edges.optional = member.as_bool(), true;
                std::string* into = name == "list"       ? &edges.list
                                    : name == "src"      ? &edges.src
                                    : name == "dst"      ? &edges.dst
                                    : name == "groups"   ? &edges.groups
                                    : name == "relation" ? &edges.relation
                                    : name == "as"       ? &edges.as
                                                         : nullptr;
                if (into) *into = member.as_string();
                return into != nullptr;
              });
  if (edges.list.empty()) throw bad_data("edges have no 'list'");
  return edges;
}

SceneMapping::Near near_of(const Value& value) {
  SceneMapping::Near near;
  each_member(value, {"name", "from", "to", "over", "count", "radius"},
              [&](const std::string& name, const Value& member) {
                if (name == "name") return near.name = member.as_string(), true;
                if (name == "from") return near.from = names(member), true;
                if (name == "to") return near.to = names(member), true;
                if (name == "count") return near.count = member.as_integer(), true;
                if (name == "radius") return near.radius = member.as_double(), true;
                if (name != "over") return false;
                near.over.clear();
                for (const Value& index : member.as_array()) near.over.push_back(index.as_integer());
                return true;
              });
  if (near.name.empty()) throw bad_data("a relation by distance has no 'name'");
  if ((near.count > 0) == (near.radius > 0))
    throw bad_data("'" + near.name + "' needs one of count and radius");
  if (near.over.empty()) throw bad_data("'" + near.name + "' is over no feature");
  return near;
}

const Value& at(const Object& object, const std::string& path) {
  const Value* value = find_path(object, path);
  if (!value || value->is_null()) throw EventFault("missing", "member '" + path + "' is missing");
  return *value;
}

Value id_of(const Value& id, const std::string& prefix) {
  if (!id.is_string() && !id.is_integer())
    throw EventFault("type", std::string("an id is of type ") + id.kind() + ", expected a string or integer");
  if (prefix.empty()) return id;
  return prefix + (id.is_string() ? id.as_string() : std::to_string(id.as_integer()));
}

double number(const Value& value, const std::string& path) {
  if (!value.is_number())
    throw EventFault("type", "'" + path + "' is of type " + value.kind() + ", expected a number");
  return value.as_double();
}

/// The ids in a text like "(A,B),(1,2)" or "A,B": a list for each pair of brackets.
std::vector<std::vector<std::string>> groups_of(const Value& value, const std::string& path) {
  const auto fault = [&](const std::string& what) {
    return EventFault("type", "'" + path + "' is " + what + ", expected ids like \"(A,B),(1,2)\" or \"A,B\"");
  };
  if (!value.is_string()) throw fault(std::string("of type ") + value.kind());
  const std::string& text = value.as_string();
  const auto odd = [&] { return fault("'" + text.substr(0, 64) + "'"); };
  std::vector<std::vector<std::string>> groups;
  const bool bracketed = text.starts_with('(');
  std::string id;
  bool open = !bracketed;
  const auto end_id = [&] {
    if (id.empty()) throw odd();
    groups.back().push_back(std::exchange(id, {}));
  };
  if (open) groups.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c == '(') {
      if (open || groups.size() == 2) throw odd();
      open = true, groups.emplace_back();
    } else if (c == ')') {
      if (!open || !bracketed) throw odd();
      end_id(), open = false;
    } else if (c == ',') {
      if (open) end_id();
    } else if (open) {
      id += c;
    } else {
      throw odd();
    }
  }
  if (open == bracketed) throw odd();
  if (open) end_id();
  return groups;
}

bool among(const std::vector<std::string>& types, const std::string& type) {
  return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace

SceneMapping SceneMapping::read(const std::string& path) {
  InputFile file(path);
  std::string text;
  std::vector<std::byte> block(65536);
  while (text.size() < (1u << 20)) {
    const auto got = file.read(block);
    if (got.status != InputFile::Status::kData) break;
    text.append(reinterpret_cast<const char*>(block.data()), got.size);
  }
  SceneMapping m;
  try {
    const Value value = Value::parse(text);
    Nodes row;
    bool row_given = false;
    each_member(value, {"id", "type", "as", "prefix", "features", "nodes", "edges", "near"},
                [&](const std::string& name, const Value& member) {
                  if (name == "nodes")
                    for (const Value& one : member.as_array()) m.nodes.push_back(nodes_of(one));
                  else if (name == "edges")
                    for (const Value& one : member.as_array()) m.edges.push_back(edges_of(one));
                  else if (name == "near")
                    for (const Value& one : member.as_array()) m.near.push_back(near_of(one));
                  else
                    return row_given = true, set_node(row, name, member);
                  return true;
                });
    if (row_given == !m.nodes.empty())
      throw bad_data("a mapping has either 'id' and 'features' of rows, or 'nodes' of steps");
    if (row_given) m.rows = true, m.nodes.push_back(row);
    if (m.rows && !m.edges.empty()) throw bad_data("rows list no edges");
    for (const Nodes& nodes : m.nodes) {
      if (nodes.type.empty() == nodes.as.empty()) throw bad_data("nodes need one of 'type' and 'as'");
      if (m.rows && nodes.id.empty()) throw bad_data("rows need an 'id'");
      if (!m.rows && nodes.list.empty()) throw bad_data("nodes of a step need a 'list'");
    }
  } catch (const Error& e) {
    throw e.within(path);
  }
  return m;
}

Object SceneMapping::node(const Nodes& from, const Value& entry, std::size_t count) const {
  Array x;
  if (from.features.empty() && entry.is_array()) {
    for (const Value& value : entry.as_array()) x.emplace_back(number(value, from.list));
  } else if (!entry.is_object()) {
    throw EventFault("type", "an entry of '" + from.list + "' is of type " + entry.kind());
  } else {
    for (const std::string& path : from.features) x.emplace_back(number(at(entry.as_object(), path), path));
  }
  Value id = from.id.empty() ? id_of(Value(static_cast<std::int64_t>(count)), from.prefix) : Value();
  if (!from.id.empty()) {
    if (!entry.is_object()) throw EventFault("type", "an entry of '" + from.list + "' has no members");
    id = id_of(at(entry.as_object(), from.id), from.prefix);
  }
  Value type = from.as;
  if (!from.type.empty()) {
    if (!entry.is_object()) throw EventFault("type", "an entry of '" + from.list + "' has no members");
    type = at(entry.as_object(), from.type);
    if (!type.is_string()) throw EventFault("type", "'" + from.type + "' is of type " + type.kind());
  }
  return Object{{"id", std::move(id)}, {"type", std::move(type)}, {"x", std::move(x)}};
}

Object SceneMapping::step(const Object& record) const {
  Array nodes, edges;
  for (const Nodes& from : this->nodes) {
    if (from.list == ".") {
      nodes.emplace_back(node(from, Value(record), 0));
      continue;
    }
    if (from.optional)
      if (const Value* there = find_path(record, from.list); !there || there->is_null()) continue;
    const Value& list = at(record, from.list);
    if (list.is_object()) {
      nodes.emplace_back(node(from, list, 0));
      continue;
    }
    if (!list.is_array()) throw EventFault("type", "'" + from.list + "' is of type " + list.kind());
    // A list of numbers is the one node that it describes.
    const bool single = from.features.empty() && !list.as_array().empty() && list.as_array()[0].is_number();
    std::size_t count = 0;
    if (single) {
      nodes.emplace_back(node(from, list, 0));
    } else {
      for (const Value& entry : list.as_array()) nodes.emplace_back(node(from, entry, count++));
    }
    if (nodes.size() > kMostNodes) throw EventFault("too-many", "more than 4096 nodes in a step");
  }
  for (const Edges& from : this->edges) {
    const auto add = [&](const Object& edge) {
      Value relation = from.as.empty() ? at(edge, from.relation) : Value(from.as);
      const auto one = [&](Value src, Value dst) {
        edges.emplace_back(Object{{"src", std::move(src)}, {"dst", std::move(dst)}, {"rel", relation}});
      };
      if (from.groups.empty()) return one(at(edge, from.src), at(edge, from.dst));
      const auto groups = groups_of(at(edge, from.groups), from.groups);
      const std::size_t made = groups[0].size() * (groups.size() > 1 ? groups[1].size() : 1);
      if (made > kMostEdges || edges.size() + made > kMostEdges)
        throw EventFault("too-many", "more than 65536 edges in a step");
      for (const std::string& src : groups[0])
        if (groups.size() == 1)
          one(src, src);
        else
          for (const std::string& dst : groups[1]) one(src, dst);
    };
    if (from.list == ".") {
      if (!from.optional || (find_path(record, from.src) && find_path(record, from.dst))) add(record);
      continue;
    }
    const Value* list = find_path(record, from.list);
    if (!list || list->is_null()) continue;
    if (!list->is_array()) throw EventFault("type", "'" + from.list + "' is of type " + list->kind());
    for (const Value& entry : list->as_array()) {
      if (!entry.is_object())
        throw EventFault("type", "an entry of '" + from.list + "' is of type " + entry.kind());
      add(entry.as_object());
    }
  }
  add_near(nodes, edges);
  return Object{{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

void SceneMapping::add_near(const Array& nodes, Array& edges) const {
  for (const Near& relation : near) {
    const auto place = [&](const Object& node) {
      const Array& x = node.find("x")->as_array();
      std::vector<double> out;
      for (const std::int64_t index : relation.over) {
        if (index < 0 || index >= static_cast<std::int64_t>(x.size()))
          throw EventFault("features", "'" + relation.name + "' is over feature " + std::to_string(index) +
                                           ", a node has " + std::to_string(x.size()));
        out.push_back(x[static_cast<std::size_t>(index)].as_double());
      }
      return out;
    };
    std::vector<std::vector<double>> places;
    for (const Value& node : nodes) places.push_back(place(node.as_object()));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Object& self = nodes[i].as_object();
      if (!among(relation.from, self.find("type")->as_string())) continue;
      std::vector<std::pair<double, std::size_t>> others;
      for (std::size_t j = 0; j < nodes.size(); ++j) {
        if (j == i || !among(relation.to, nodes[j].as_object().find("type")->as_string())) continue;
        double sum = 0;
        for (std::size_t k = 0; k < relation.over.size(); ++k)
          sum += (places[i][k] - places[j][k]) * (places[i][k] - places[j][k]);
        if (relation.count > 0 || sum <= relation.radius * relation.radius) others.emplace_back(sum, j);
      }
      if (relation.count > 0 && static_cast<std::int64_t>(others.size()) > relation.count) {
        std::partial_sort(others.begin(), others.begin() + relation.count, others.end());
        others.resize(static_cast<std::size_t>(relation.count));
      }
      for (const auto& [distance, j] : others)
        edges.emplace_back(Object{
            {"src", *self.find("id")}, {"dst", *nodes[j].as_object().find("id")}, {"rel", relation.name}});
    }
  }
}

}  // namespace stream::events
