#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream {
namespace {

/// The value as text that is the same for every way of writing it ("1s" and "1000ms", 1 and 1.0).
std::string canonical(const Param& param, const Value& value) {
  if (param.type == ParamType::kNumber && value.is_number()) return Value(value.as_double()).dump();
  if (param.type == ParamType::kDuration) {
    try {
      if (value.is_number()) return std::to_string(std::llround(value.as_double() * 1e9));
      return std::to_string(parse_duration(value.as_string()).count());
    } catch (const Error&) {
      return value.dump();
    }
  }
  if (param.type == ParamType::kNumbers && value.is_array()) {
    std::string out;
    for (const Value& v : value.as_array()) out += (v.is_number() ? Value(v.as_double()) : v).dump() + ",";
    return out;
  }
  return value.dump();
}

}  // namespace

std::size_t Plan::find(std::string_view id) const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].id == id) return i;
  }
  return npos;
}

std::uint64_t Plan::digest() const {
  // Nodes by id and parameters with their defaults, so that neither the order of a file nor spelling a
  // default out makes another plan.
  std::vector<std::size_t> order(nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return nodes[a].id < nodes[b].id; });
  std::uint64_t hash = stable_hash("stream plan 1");
  const auto add = [&](std::string_view text) {
    hash = stable_hash(text, hash);
    hash = stable_hash(std::string_view("\0", 1), hash);
  };
  for (const std::size_t n : order) {
    const PlannedNode& node = nodes[n];
    add(node.id);
    if (!node.op) continue;
    add(node.op->spec.name());
    add(std::to_string(static_cast<int>(node.on_error)));
    std::vector<const Param*> params;
    for (const Param& p : node.op->spec.params()) {
      if (p.type != ParamType::kPath) params.push_back(&p);
    }
    std::sort(params.begin(), params.end(), [](auto* a, auto* b) { return a->name < b->name; });
    for (const Param* p : params) {
      const Value* given = node.params.find(p->name);
      add(p->name);
      add(canonical(*p, given ? *given : p->fallback));
    }
    for (const PlannedEdge& e : edges) {
      if (e.to_node != n) continue;
      add(nodes[e.from_node].id);
      add(std::to_string(e.from_port) + ">" + std::to_string(e.to_port) + (e.live ? " live" : ""));
    }
  }
  return hash;
}

}  // namespace stream
