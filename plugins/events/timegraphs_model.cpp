#include "events/timegraphs_model.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

constexpr const char* kArchitecture = "timegraphs";
/// Ages of a node before it said how many events began since.
constexpr std::int64_t kFirstAges = 3;

std::string text(const std::vector<std::string>& names) {
  Array list;
  for (const std::string& name : names) list.emplace_back(name);
  return Value(std::move(list)).dump();
}
std::vector<std::string> names(const std::string& text) {
  std::vector<std::string> out;
  const Value list = Value::parse(text);
  for (const Value& value : list.as_array()) out.push_back(value.as_string());
  return out;
}

std::shared_ptr<const TimeGraphs> read(const std::string& path) {
  const Archive archive = nn::read_model(path, kArchitecture);
  try {
    auto model = std::make_shared<TimeGraphs>();
    const Archive& about = archive.group("model");
    model->events = std::make_shared<const EventModel>(EventModel::load(archive.group("events")));
    model->asked.outputs = names(about.get<std::string>("outputs"));
    model->asked.types = names(about.get<std::string>("asked_types"));
    model->asked.per_node = about.get<bool>("per_node");
    model->asked.classes = about.get<bool>("classes");
    model->hierarchy.horizon = about.get<std::int64_t>("horizon");
    model->hierarchy.most_events = about.get<std::int64_t>("most_events");
    HeadShape shape = head_shape(*model->events, model->asked);
    const std::int64_t ages = about.has("ages") ? about.get<std::int64_t>("ages") : kFirstAges;
    if (ages < kFirstAges || ages > static_cast<std::int64_t>(EventGraph::kAges))
      throw bad_data("the model reads ages of events that this program does not know");
    shape.features = static_cast<std::int64_t>(model->events->features()) + ages;
    shape.hidden = about.get<std::int64_t>("hidden"), shape.layers = about.get<std::int64_t>("layers");
    shape.bases = about.get<std::int64_t>("bases");
    shape.last_norm = about.has("last_norm") && about.get<bool>("last_norm");
    if (model->asked.outputs.empty() || model->asked.outputs.size() > 4096 || shape.hidden < 1 ||
        shape.hidden > 4096 || shape.layers < 0 || shape.layers > 64 || shape.bases < 1 || shape.bases > 64 ||
        model->hierarchy.horizon < 1 || model->hierarchy.horizon > 100000 ||
        model->hierarchy.most_events < 1 || model->hierarchy.most_events > 1000000)
      throw bad_data("the model's sizes are not ones that can be");
    model->head = std::make_shared<ReasoningHead>(shape, 0);
    nn::load_weights(*model->head, archive.group("weights"));
    return model;
  } catch (const Error& e) {
    throw e.within(path);
  }
}

}  // namespace

HeadShape head_shape(const EventModel& events, const Asked& asked) {
  HeadShape shape;
  shape.features = static_cast<std::int64_t>(events.features() + EventGraph::kAges);
  shape.relations = static_cast<std::int64_t>(EventGraph::relations(events.vocabulary.relations.size()));
  shape.outputs = static_cast<std::int64_t>(asked.outputs.size());
  shape.per_node = asked.per_node;
  return shape;
}

void write_timegraphs(const std::string& path, const TimeGraphs& model) {
  Archive archive;
  Archive& about = archive.group("model");
  about.set("architecture", kArchitecture);
  about.set("outputs", text(model.asked.outputs));
  about.set("asked_types", text(model.asked.types));
  about.set("per_node", model.asked.per_node);
  about.set("classes", model.asked.classes);
  about.set("horizon", model.hierarchy.horizon);
  about.set("most_events", model.hierarchy.most_events);
  about.set("ages", model.head->shape().features - static_cast<std::int64_t>(model.events->features()));
  about.set("hidden", model.head->shape().hidden);
  about.set("layers", model.head->shape().layers);
  about.set("bases", model.head->shape().bases);
  about.set("last_norm", model.head->shape().last_norm);
  model.events->save(archive.group("events"));
  nn::save_weights(*model.head, archive.group("weights"));
  nn::write_model(path, archive);
}

std::shared_ptr<const TimeGraphs> read_timegraphs(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const TimeGraphs>> models;
  struct stat status {};
  std::string name = path;
  if (::stat(path.c_str(), &status) == 0)  // a file that was written anew is another model
    name += " " + std::to_string(status.st_ino) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
            std::to_string(status.st_mtim.tv_nsec);
  const std::lock_guard lock(mutex);
  auto& known = models[name];
  if (auto model = known.lock()) return model;
  auto model = read(path);
  known = model;
  return model;
}

GrownGraphs::GrownGraphs(const std::shared_ptr<const EventModel>& events, HierarchyOptions hierarchy_options,
                         const Games& games) {
  double share = 0, count = 0;
  for (std::size_t g = 0; g < games.size(); ++g) {
    HierarchyOptions options = hierarchy_options;
    options.seed += 2 * g;
    EventHierarchy hierarchy(events, options);
    auto& some = graphs.emplace_back();
    std::size_t nodes = 0, next = 0;
    const auto& questions = games[g].questions;
    for (std::size_t t = 0; t < games[g].scenes.size() && next < questions.size(); ++t) {
      hierarchy.push(games[g].scenes[t]);
      hierarchy.take_ended();
      nodes += games[g].scenes[t].nodes.size();
      for (; next < questions.size() && questions[next].step == static_cast<std::int64_t>(t); ++next) {
        some.push_back(hierarchy.graph());
        std::set<std::pair<std::int64_t, std::int32_t>> distinct;
        for (const auto& node : some.back().nodes) distinct.emplace(node.step, node.entity);
        share += static_cast<double>(distinct.size()) / static_cast<double>(nodes), count += 1;
      }
    }
    if (some.size() != questions.size()) throw bad_data("a question is asked at a step that is not there");
  }
  touched = count > 0 ? share / count : 0;
}

GraphAnswerer::GraphAnswerer(std::shared_ptr<const GrownGraphs> graphs, std::shared_ptr<ReasoningHead> head)
    : graphs_(std::move(graphs)), head_(register_module("head", std::move(head))) {}

at::Tensor GraphAnswerer::logits(std::span<const QuestionId> questions) const {
  std::vector<const EventGraph*> graphs;
  for (const QuestionId& q : questions) graphs.push_back(&graph(q));
  return head_->forward(batch_of(graphs, head_->shape()), dropout, silent_).logits;
}

}  // namespace stream::events
