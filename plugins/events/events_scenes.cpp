#include "events/events_scenes.hpp"

#include <utility>

#include "stream/error.hpp"

namespace stream::events {

namespace {

std::int64_t line_of(const Record& record) {
  const Value* line = record.find("line");
  return line && line->is_integer() ? line->as_integer() : 0;
}

Object fault_of(const EventFault& fault, std::int64_t line) {
  return Object{{"line", line}, {"fault", fault.name()}, {"detail", fault.what()}};
}

}  // namespace

Spec ScenesOperator::spec() {
  return Spec("events.scenes", "Make scenes of logs that have another shape.")
      .input<Record>("in", "lines of a log at their times and keys: what events.read brings")
      .output<Record>(
          "out",
          "{\"line\", \"nodes\": [{\"id\", \"type\", \"x\"}], \"edges\": [{\"src\", \"dst\", \"rel\"}]}")
      .output<Record>("faults", "{\"line\", \"fault\", \"detail\"} of what was refused")
      .path("mapping", nullptr, "JSON file that says where nodes, features and relations are")
      .contract({.order = Order::kStateful})
      .about(
          "A mapping {\"id\": \"player\", \"type\": \"team\", \"features\": [\"x\", \"y\"]} makes one step "
          "of "
          "all lines (rows of CSV, say) that have the same time. A mapping {\"nodes\": [{\"list\": "
          "\"actors\", "
          "\"id\": \"id\", \"type\": \"class_name\", \"features\": [\"bbox.x\", \"bbox.y\"]}], \"edges\": "
          "[{\"list\": \"relationships\", \"src\": \"source_id\", \"dst\": \"target_id\", \"relation\": "
          "\"class_name\"}]} makes a step of each line: of frames with lists of what is in them. An edge "
          "from a node to itself says what holds of it; {\"list\": \"annotation.relationships\", \"groups\": "
          "\"description\", \"relation\": \"class\"} reads \"(A,B),(1,2)\" as edges from each of the first "
          "to "
          "each of the second, and \"A,B\" as one from each to itself: that is how MOMA 1.0 names who is "
          "related (examples/moma-scenes.json is the mapping for MOMA-LRG). Lists "
          "may "
          "hold lists of numbers, as dumps of Google Research Football do: {\"list\": \"left_team\", \"as\": "
          "\"left\", \"prefix\": \"l\"}. The list \".\" is the step itself (an event of StatsBomb's or of an "
          "XES "
          "log), \"location.0\" the first number of a list, \"optional\": true a list that not all steps "
          "have. "
          "\"near\": [{\"name\": \"near\", \"count\": 2}] adds edges to the "
          "nearest, \"radius\" in place of \"count\" to all within it; \"from\" and \"to\" say of which "
          "types.\n\n"
          "Refused are: \"missing\", \"type\", \"features\", \"duplicate-id\" (of a row in its step), "
          "\"id-kind\" "
          "and \"too-many\" (more than 4096 nodes, more than 65536 edges from groups). A row that is refused "
          "leaves the others of its step.")
      .example("Tracking data", R"([nodes.log]
use     = "events.read"
path    = "examples/tracking.csv"
mapping = "examples/tracking-log.json"

[nodes.scenes]
use     = "events.scenes"
from    = "log.out"
mapping = "examples/tracking-scenes.json"

[nodes.out]
use  = "jsonl.write"
from = "scenes.out"
)");
}

ScenesOperator::ScenesOperator(const Params& p) : mapping_(SceneMapping::read(p.input_path("mapping"))) {}

void ScenesOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  if (in.time > time_) emit(out);
  time_ = in.time;
  try {
    if (!mapping_.rows) {
      Object scene{{"line", line_of(record)}};
      for (const auto& [name, value] : mapping_.step(record.object())) scene.set(name, value);
      if (const Value* ask = record.find("ask")) scene.set("ask", *ask);
      return out.emit(0, in.with<Record>(std::move(scene)));
    }
    Object node = mapping_.node(mapping_.nodes[0], Value(record.object()), 0);
    const std::string key(in.key.str());
    const auto at = open_.find(key);
    if (at == open_.end()) {
      Step step{in, line_of(record), {}};
      step.nodes.emplace_back(std::move(node));
      open_.emplace(key, std::move(step));
      return;
    }
    Array& nodes = at->second.nodes;
    if (nodes.size() >= kMostNodes) throw EventFault("too-many", "more than 4096 nodes in a step");
    const Value& id = *node.find("id");
    for (const Value& other : nodes) {
      const Value& known = *other.as_object().find("id");
      if (known == id) throw EventFault("duplicate-id", "there are two nodes " + id.dump() + " in the step");
      if (known.is_string() != id.is_string())
        throw EventFault("id-kind", "the id " + id.dump() + " is of another kind than " + known.dump());
    }
    nodes.emplace_back(std::move(node));
  } catch (const EventFault& fault) {
    out.emit(1, in.with<Record>(fault_of(fault, line_of(record))));
  }
}

void ScenesOperator::emit(Output& out) {
  for (auto& [key, step] : open_) {
    Array edges;
    try {
      mapping_.add_near(step.nodes, edges);
      out.emit(0, step.first.with<Record>(Object{
                      {"line", step.line}, {"nodes", std::move(step.nodes)}, {"edges", std::move(edges)}}));
    } catch (const EventFault& fault) {
      out.emit(1, step.first.with<Record>(fault_of(fault, step.line)));
    }
  }
  open_.clear();
}

void ScenesOperator::finish(Output& out) { emit(out); }

void ScenesOperator::save(Archive& state) const {
  state.set("time", time_);
  std::vector<Packet> steps;
  for (const auto& [key, step] : open_) {
    steps.push_back(step.first.with<Record>(Object{{"line", step.line}, {"nodes", step.nodes}}));
  }
  state.set("steps", std::span<const Packet>(steps));
}

void ScenesOperator::load(const Archive& state) {
  time_ = state.get<Duration>("time");
  open_.clear();
  for (const Packet& packet : state.packets("steps")) {
    const auto& record = packet.as<Record>();
    Step step{packet, record.at("line").as_integer(), record.at("nodes").as_array()};
    for (const Value& node : step.nodes)
      for (const char* member : {"id", "type", "x"})
        if (!node.is_object() || !node.as_object().find(member))
          throw bad_data("the checkpoint's step holds what is no node");
    open_.emplace(std::string(packet.key.str()), std::move(step));
  }
}

std::size_t ScenesOperator::state_bytes() const {
  // One time's lines: a step of each key has 4096 nodes at the most.
  std::size_t sum = 64;
  for (const auto& [key, step] : open_)
    for (const Value& node : step.nodes) sum += 128 + 24 * node.as_object().find("x")->as_array().size();
  return sum;
}

}  // namespace stream::events
