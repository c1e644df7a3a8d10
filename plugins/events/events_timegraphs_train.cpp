#include "events/events_timegraphs_train.hpp"

#include <cstdio>
#include <numeric>

#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::events {

Spec TimeGraphsTrainSource::spec() {
  const PretrainingOptions e;
  const GameTrainerOptions h;
  const HierarchyOptions g;
  return with_log_params(
             Spec("events.timegraphs_train",
                  "Learn which nodes of scenes are events, without labels, and then to answer from them.")
                 .output<Record>("progress",
                                 "{\"learning\": \"events\" or \"answers\", \"step\", \"loss\"}; at the end "
                                 "{\"validation\": {\"loss\", \"exact_match\", \"f1\"}}")
                 .path("log", nullptr, "scenes, in order of time")
                 .path("labels", nullptr,
                       "{\"game\", \"t\", \"labels\"}: [names] of what holds of the whole, {id: [names]} of "
                       "nodes, or the name of a class")
                 .path("model", nullptr, "the HDF5 file to write"),
             "scenes")
      .param("types", std::vector<std::string>(), "of the nodes that labels are about; empty: all")
      .param("validation", 0.2, "share of the games, the last, that nothing is learnt from", range(0, 0.9))
      .param("keep", std::vector<double>{e.keep[0], e.keep[1]},
             "shares that are promoted to level 1, to level 2", range(0.001, 0.999))
      .param("delay", e.delay, "steps that a node waits for its surroundings", range(0, 2))
      .param("horizon", g.horizon, "steps of level 0 that are kept, and a tenth of those of level 1",
             range(1, 10000))
      .param("event_steps", e.steps, "updates for each of the two levels", range(1, 1e7))
      .param("event_batch", e.batch, "pieces of games in such an update", range(1, 4096))
      .param("window", e.window, "steps of a piece", range(3, 1e5))
      .param("event_rate", e.rate, "learning rate of those", range(0, 1))
      .param("steps", h.steps, "updates of the head", range(1, 1e7))
      .param("games", h.games, "in an update of the head", range(1, 4096))
      .param("questions", h.questions, "of each of them", range(1, 4096))
      .param("rate", h.rate, "learning rate of the head", range(0, 1))
      .param("dropout", h.dropout, "of the head's features, while it learns", range(0, 0.9))
      .param("hidden", std::int64_t{32}, "features of the head", range(4, 1024))
      .param("layers", std::int64_t{3}, "graph layers of the head", range(1, 16))
      .param(
          "joint", false,
          "the event model goes on learning with the head: the task's loss and lambda times its own, lambda "
          "from 2 to 1; one question of each game in an update")
      .param("report", std::int64_t{100}, "steps from one line of progress to the next", range(1, 1e6))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "First the event model learns alone, by how well a node is told from others by its surroundings "
          "(vertex infomax): labels are not looked at. Its thresholds are quantiles over the games. Then it "
          "stays as it is, each game is streamed through it once, and the head learns from the graphs that "
          "there are at the times of the labels. With `joint` the event model learns on with the head: every "
          "update grows its graphs anew and goes back through them.")
      .paper(
          "Maheshwari, Ren, Wang, Sosic, Leskovec, TimeGraphs: Graph-based Temporal Reasoning, arXiv "
          "2401.03134; Li, Chen, Zhang, Tsang, Graph Cross Networks with Vertex Infomax Pooling, NeurIPS "
          "2020, "
          "arXiv 2010.01804")
      .example("A few games", R"([nodes.train]
use    = "events.timegraphs_train"
log    = "examples/pitch.jsonl"
labels = "examples/pitch-labels.jsonl"
model  = "timegraphs.h5"
event_steps = 2
event_batch = 2
steps  = 2
games  = 2
report = 1

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

TimeGraphsTrainSource::TimeGraphsTrainSource(const Params& p)
    : path_(p.get<std::string>("model")),
      hidden_(p.get<std::int64_t>("hidden")),
      layers_(p.get<std::int64_t>("layers")),
      report_(p.get<std::int64_t>("report")),
      seed_(p.random("training")()),
      together_(p.get<bool>("joint")) {
  SceneLog log = read_scene_log(p.input_path("log"), log_options(p), p.input_path("labels"),
                                p.get<std::vector<std::string>>("types"));
  if (!log.faults.empty()) log_warning(p.context().node, p.input_path("log") + ": refused: " + log.faults);
  const auto keep = p.get<std::vector<double>>("keep");
  if (keep.size() != 2) throw bad_recipe("keep has " + std::to_string(keep.size()) + " shares, expected 2");
  for (const std::string& type : log.asked.types)
    if (std::find(log.vocabulary.types.begin(), log.vocabulary.types.end(), type) ==
        log.vocabulary.types.end())
      throw bad_recipe("types names '" + type + "', of which the log has none" +
                       did_you_mean(type, log.vocabulary.types));
  asked_ = log.asked;
  PretrainingOptions o;
  o.keep = {keep[0], keep[1]};
  o.delay = p.get<std::int64_t>("delay"), o.horizon = p.get<std::int64_t>("horizon");
  o.steps = p.get<std::int64_t>("event_steps"), o.batch = p.get<std::int64_t>("event_batch");
  o.window = p.get<std::int64_t>("window"), o.rate = p.get<double>("event_rate");
  hierarchy_.horizon = o.horizon;
  options_.outputs = static_cast<std::int64_t>(asked_.outputs.size());
  options_.classes = asked_.classes;
  options_.steps = p.get<std::int64_t>("steps"), options_.games = p.get<std::int64_t>("games");
  options_.questions = p.get<std::int64_t>("questions"), options_.rate = p.get<double>("rate"),
  options_.dropout = p.get<double>("dropout");
  const auto count = log.games.size();
  const auto learnt =
      count - static_cast<std::size_t>(p.get<double>("validation") * static_cast<double>(count));
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (std::size_t g = 0; g < count; ++g) {
    (g < learnt ? training_ : validation_).push_back(g);
    if (g < learnt && static_cast<std::int64_t>(log.games[g].scenes.size()) >= o.window)
      streams->push_back(log.games[g].scenes);
  }
  if (streams->empty())
    throw bad_data(p.input_path("log") + ": no game has the " + std::to_string(o.window) +
                   " steps of a window");
  games_ = std::make_shared<const Games>(std::move(log.games));
  events_ = std::make_unique<EventPretraining>(log.vocabulary, streams, o, seed_);
}

void TimeGraphsTrainSource::begin_head() {
  HeadShape shape = head_shape(*events_->model(), asked_);
  shape.hidden = hidden_, shape.layers = layers_;
  network_ = std::make_shared<ReasoningHead>(shape, seed_ + 1);
  if (together_) {
    joint_ = std::make_unique<JointTrainer>(*events_, network_, games_, training_, hierarchy_, options_,
                                            seed_ + 2);
    return;
  }
  head_ = std::make_unique<GameTrainer>(
      std::make_shared<GraphAnswerer>(
          std::make_shared<const GrownGraphs>(events_->model(), hierarchy_, *games_), network_),
      games_, training_, options_, seed_ + 2);
}

bool TimeGraphsTrainSource::read(Output& out) {
  const auto say = [&](const char* what, std::int64_t step, double loss) {
    out.emit(Packet::of<Record>(Time{events_->steps() + head_steps()},
                                Object{{"learning", what}, {"step", step}, {"loss", loss}}));
  };
  if (!events_->finished()) {
    events_->step();
    if (events_->steps() % report_ == 0) say("events", events_->steps(), events_->loss());
    return true;
  }
  if (!begun()) begin_head();
  if (head_steps() < options_.steps) {
    joint_ ? joint_->step() : head_->step();
    if (head_steps() % report_ == 0) say("answers", head_steps(), head_loss());
    return true;
  }
  if (written_) return false;
  Object last = finish();
  written_ = true;
  out.emit(Packet::of<Record>(Time{events_->steps() + head_steps() + 1}, std::move(last)));
  return true;
}

Object TimeGraphsTrainSource::finish() const {
  write_timegraphs(path_, {events_->model(), network_, asked_, hierarchy_});
  Games games;
  for (const std::size_t g : validation_)
    if (!(*games_)[g].questions.empty()) games.push_back((*games_)[g]);
  if (games.empty()) return Object{{"validation", Value()}};
  const GraphAnswerer answerer(std::make_shared<const GrownGraphs>(events_->model(), hierarchy_, games),
                               network_);
  std::vector<std::size_t> all(games.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const Answers answers = ask(answerer, games, all, options_.outputs, options_.classes);
  Object found{{"loss", mean_loss(answers, options_.classes)}};
  if (!asked_.classes) found.set("exact_match", exact_match(answers)).set("f1", micro_f1(answers));
  return Object{{"validation", std::move(found)}};
}

double TimeGraphsTrainSource::fraction() const {
  return static_cast<double>(events_->steps() + head_steps()) /
         static_cast<double>(events_->all_steps() + options_.steps);
}

void TimeGraphsTrainSource::save(Archive& state) const {
  state.set("written", written_);
  events_->save(state.group("events"));
  if (head_) head_->save(state.group("head"));
  if (joint_) joint_->save(state.group("joint"));
}

void TimeGraphsTrainSource::load(const Archive& state) {
  written_ = state.get<bool>("written");
  events_->load(state.group("events"));
  if (!state.has("head") && !state.has("joint")) return;
  if (!events_->finished()) throw bad_data("the checkpoint has a head and no events");
  if (state.has("joint") != together_) throw bad_data("the checkpoint is of another training");
  begin_head();
  together_ ? joint_->load(state.group("joint")) : head_->load(state.group("head"));
}

std::size_t TimeGraphsTrainSource::state_bytes() const {
  return joint_  ? joint_->state_bytes() + events_->state_bytes()
         : head_ ? head_->state_bytes()
                 : events_->state_bytes();
}

std::string TimeGraphsTrainSource::progress() const {
  char text[96];
  std::snprintf(text, sizeof text, "%s, step %lld, loss %.4f", begun() ? "answers" : "events",
                static_cast<long long>(begun() ? head_steps() : events_->steps()),
                begun() ? head_loss() : events_->loss());
  return text;
}

}  // namespace stream::events
