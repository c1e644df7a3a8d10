#include "events/events_timegraphs.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::events {

Spec TimeGraphsOperator::spec() {
  return Spec("events.timegraphs", "Build a graph of events over scenes as they come, and answer from it.")
      .input<Record>("in",
                     "{\"nodes\": [{\"id\", \"type\", \"x\"}], \"edges\": [{\"src\", \"dst\", \"rel\"}], "
                     "\"ask\": true where an answer is wanted} at its time, keyed by the stream: what "
                     "events.read brings")
      .output<Record>(
          "out",
          "{\"time\", \"answer\": {output: probability}, or of each node {id: {output: "
          "probability}}, \"because\": [{\"level\", \"id\", \"start\", \"end\", \"weight\": share "
          "of its level's attention}]}")
      .output<Record>("events",
                      "events that have ended, not those still open: {\"level\": 1 or 2, \"id\", \"type\", "
                      "\"start\", \"end\", "
                      "\"nodes\": that it stands for, \"affinity\"}")
      .output<Record>("faults", "{\"line\", \"fault\", \"detail\"} of each scene that was refused")
      .path("model", nullptr, "HDF5 file that events.timegraphs_train wrote")
      .param("every", std::int64_t{0}, "answer after so many steps; 0: where a scene says \"ask\": true",
             range(0, 1e9), unit("steps"))
      .param("adaptive", false,
             "thresholds of promotion follow the stream instead of staying those of training")
      .param("reasons", std::int64_t{5}, "events named with an answer, by the attention that they had",
             range(0, 1000))
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy, .keyed = true})
      .about(
          "Level 0 is every node of every step. A node's affinity to its surroundings, learnt without "
          "labels, "
          "is known D steps after it (D is the model's: 0, 1 or 2); above a threshold it is promoted to an "
          "event of level 1, otherwise the latest event of the same id absorbs it and lasts longer. The same "
          "makes level 2 of level 1. Answers see the last H steps, ten times as many of level 1 and, of "
          "level "
          "2, the newest 1024 events of a stream: that is all that is kept.\n\n"
          "A scene that is wrong is said on the port \"faults\" and changes nothing: \"missing\", \"type\", "
          "\"unknown-type\", \"unknown-relation\", \"duplicate-id\", \"unknown-id\" (of an edge), "
          "\"id-kind\", "
          "\"features\" (another number of them than in training), \"too-many\" and \"late\".")
      .paper(
          "Maheshwari, Ren, Wang, Sosic, Leskovec, TimeGraphs: Graph-based Temporal Reasoning, arXiv "
          "2401.03134; Li, Chen, Zhang, Tsang, Graph Cross Networks with Vertex Infomax Pooling, NeurIPS "
          "2020, "
          "arXiv 2010.01804")
      .example("Events of a game", R"([nodes.log]
use     = "events.read"
path    = "examples/pitch.jsonl"
dialect = "scenes"

[nodes.graph]
use   = "events.timegraphs"
from  = "log.out"
model = "models/timegraphs-pitch.h5"
every = 20

[nodes.out]
use  = "jsonl.write"
from = "graph.events"
)");
}

TimeGraphsOperator::TimeGraphsOperator(const Params& p)
    : model_(read_timegraphs(p.input_path("model"))),
      hierarchy_(model_->events,
                 [&] {
                   HierarchyOptions options = model_->hierarchy;
                   options.adaptive = p.get<bool>("adaptive");
                   return options;
                 }()),
      every_(p.get<std::int64_t>("every")),
      reasons_(p.get<std::int64_t>("reasons")) {}

Object TimeGraphsOperator::answer(const Scene& scene) const {
  const EventGraph graph = hierarchy_.graph();
  const EventGraph* one = &graph;
  const auto& asked = model_->asked;
  return nn::inference([&] {
    const GraphBatch batch = batch_of(std::span(&one, 1), model_->head->shape());
    const auto said = model_->head->forward(batch);
    const at::Tensor p =
        (asked.classes ? at::softmax(said.logits, 1) : at::sigmoid(said.logits)).contiguous();
    const auto row = [&](std::int64_t r) {
      Object of;
      for (std::size_t k = 0; k < asked.outputs.size(); ++k)
        of.set(asked.outputs[k], p.data_ptr<float>()[r * p.size(1) + static_cast<std::int64_t>(k)]);
      return of;
    };
    Object answer;
    if (!asked.per_node) {
      answer = row(0);
    } else {
      for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
        const std::string& type =
            model_->events->vocabulary.types[static_cast<std::size_t>(scene.nodes[i].type)];
        if (asked.types.empty() ||
            std::find(asked.types.begin(), asked.types.end(), type) != asked.types.end())
          answer.set(scene.nodes[i].id, row(static_cast<std::int64_t>(i)));
      }
    }
    std::vector<std::pair<float, std::int64_t>> weights;
    const at::Tensor attention = said.attention.contiguous();
    for (std::int64_t s = 0; s < batch.slots.numel(); ++s)
      if (batch.mask.data_ptr<bool>()[s])
        weights.emplace_back(attention.data_ptr<float>()[s], batch.slots.data_ptr<std::int64_t>()[s]);
    std::sort(weights.begin(), weights.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    Array because;
    for (std::size_t i = 0; i < weights.size() && i < static_cast<std::size_t>(reasons_); ++i) {
      const EventGraph::Node& node = graph.nodes[static_cast<std::size_t>(weights[i].second)];
      because.emplace_back(Object{{"level", std::int64_t{node.level}},
                                  {"id", node.id},
                                  {"start", node.start},
                                  {"end", node.end},
                                  {"weight", weights[i].first}});
    }
    return Object{{"time", scene.time}, {"answer", std::move(answer)}, {"because", std::move(because)}};
  });
}

void TimeGraphsOperator::emit_ended(const Packet& in, Output& out) {
  for (const EndedEvent& event : hierarchy_.take_ended())
    out.emit(1, in.with<Record>(
                    Object{{"level", event.level},
                           {"id", event.entity},
                           {"type", model_->events->vocabulary.types[static_cast<std::size_t>(event.type)]},
                           {"start", event.start},
                           {"end", event.end},
                           {"nodes", event.nodes},
                           {"affinity", event.affinity}}));
}

void TimeGraphsOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  Scene scene;
  bool ask = false;
  try {
    if (in.time < newest_)
      throw EventFault("late", "the scene is " + to_string(newest_ - in.time) + " older than the one before");
    scene = model_->events->vocabulary.scene(record.object(), static_cast<double>(in.time.count()) / 1e9);
    if (const Value* value = record.find("ask"); value && !value->is_null()) {
      if (!value->is_bool()) throw EventFault("type", std::string("'ask' is of type ") + value->kind());
      ask = value->as_bool();
    }
  } catch (const EventFault& fault) {
    Object said{{"fault", fault.name()}, {"detail", fault.what()}};
    if (const Value* line = record.find("line")) said.set("line", *line);
    return out.emit(2, in.with<Record>(std::move(said)));
  }
  newest_ = in.time;
  hierarchy_.push(scene);
  emit_ended(in, out);
  if (!scene.nodes.empty() && (ask || (every_ > 0 && hierarchy_.steps() % every_ == 0)))
    out.emit(0, in.with<Record>(answer(scene)));
}

/// Events that are open when the stream ends have not ended: streams of other keys may be further on, and a
/// port's times must not decrease.
void TimeGraphsOperator::finish(Output&) {}

void TimeGraphsOperator::save(Archive& state) const {
  state.set("newest", newest_);
  hierarchy_.save(state.group("hierarchy"));
}

void TimeGraphsOperator::load(const Archive& state) {
  newest_ = state.get<Duration>("newest");
  hierarchy_.load(state.group("hierarchy"));
}

}  // namespace stream::events
