#include "events/events_scenes.hpp"

#include <utility>

#include "stream/error.hpp"

namespace stream::events {

namespace {

constexpr std::size_t kMostNodes = 4096;

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
      .input<Record>("in", "lines of a log at their times: what events.read brings")
      .output<Record>(
          "out",
          "{\"line\", \"nodes\": [{\"id\", \"type\", \"x\"}], \"edges\": [{\"src\", \"dst\", \"rel\"}]}")
      .output<Record>("faults", "{\"line\", \"fault\", \"detail\"} of what was refused")
      .path("mapping", nullptr, "JSON file that says where nodes, features and relations are")
      .contract({.order = Order::kStateful, .keyed = true})
      .about(
          "A mapping {\"id\": \"player\", \"type\": \"team\", \"features\": [\"x\", \"y\"]} makes one step "
          "of "
          "all lines (rows of CSV, say) that have the same time. A mapping {\"nodes\": [{\"list\": "
          "\"actors\", "
          "\"id\": \"id\", \"type\": \"class_name\", \"features\": [\"bbox.x\", \"bbox.y\"]}], \"edges\": "
          "[{\"list\": \"relationships\", \"src\": \"source_id\", \"dst\": \"target_id\", \"relation\": "
          "\"class_name\"}]} makes a step of each line: of frames as MOMA annotates them, one a line. Lists "
          "may "
          "hold lists of numbers, as dumps of Google Research Football do: {\"list\": \"left_team\", \"as\": "
          "\"left\", \"prefix\": \"l\"}. \"near\": [{\"name\": \"near\", \"count\": 2}] adds edges to the "
          "nearest, \"radius\" in place of \"count\" to all within it; \"from\" and \"to\" say of which "
          "types.\n\n"
          "Refused are: \"missing\", \"type\", \"features\", \"duplicate-id\" (of a row in its step), "
          "\"id-kind\" "
          "and \"too-many\" (more than 4096 nodes). A row that is refused leaves the others of its step.")
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
  if (open_ && in.time > first_.time) emit(out);
  try {
    if (!mapping_.rows) {
      Object scene{{"line", line_of(record)}};
      for (const auto& [name, value] : mapping_.step(record.object())) scene.set(name, value);
      if (const Value* ask = record.find("ask")) scene.set("ask", *ask);
      return out.emit(0, in.with<Record>(std::move(scene)));
    }
    Object node = mapping_.node(mapping_.nodes[0], Value(record.object()), 0);
    if (open_) {
      if (nodes_.size() >= kMostNodes) throw EventFault("too-many", "more than 4096 nodes in a step");
      const Value& id = *node.find("id");
      for (const Value& other : nodes_) {
        const Value& known = *other.as_object().find("id");
        if (known == id)
          throw EventFault("duplicate-id", "there are two nodes " + id.dump() + " in the step");
        if (known.is_string() != id.is_string())
          throw EventFault("id-kind", "the id " + id.dump() + " is of another kind than " + known.dump());
      }
    } else {
      first_ = in, line_ = line_of(record), open_ = true;
    }
    nodes_.emplace_back(std::move(node));
  } catch (const EventFault& fault) {
    out.emit(1, in.with<Record>(fault_of(fault, line_of(record))));
  }
}

void ScenesOperator::emit(Output& out) {
  open_ = false;
  Array edges, nodes = std::exchange(nodes_, {});
  try {
    mapping_.add_near(nodes, edges);
    out.emit(0, first_.with<Record>(
                    Object{{"line", line_}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}}));
  } catch (const EventFault& fault) {
    out.emit(1, first_.with<Record>(fault_of(fault, line_)));
  }
  first_ = {};
}

void ScenesOperator::finish(Output& out) {
  if (open_) emit(out);
}

void ScenesOperator::save(Archive& state) const {
  state.set("open", open_);
  if (!open_) return;
  state.set("line", line_);
  Packet step = Packet::of<Record>(first_.time, Object{{"nodes", nodes_}});
  step.key = first_.key, step.arrival = first_.arrival;
  state.set("step", step);
}

void ScenesOperator::load(const Archive& state) {
  open_ = state.get<bool>("open"), nodes_.clear(), first_ = {};
  if (!open_) return;
  line_ = state.get<std::int64_t>("line");
  first_ = state.packet("step");
  nodes_ = first_.as<Record>().at("nodes").as_array();
  for (const Value& node : nodes_)
    for (const char* member : {"id", "type", "x"})
      if (!node.is_object() || !node.as_object().find(member))
        throw bad_data("the checkpoint's step holds what is no node");
}

std::size_t ScenesOperator::state_bytes() const {
  // Declared constant: a step at its largest has 4096 nodes.
  std::size_t sum = 64;
  for (const Value& node : nodes_) sum += 128 + 24 * node.as_object().find("x")->as_array().size();
  return sum;
}

}  // namespace stream::events
