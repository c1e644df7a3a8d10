#include "events/joint_training.hpp"

#include <algorithm>
#include <map>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

/// Of the way from a threshold to the quantile of an update's affinities that it moves.
constexpr float kFollow = 0.1f;

at::Tensor last_columns(const EventGraph& graph, std::size_t count) {
  const auto nodes = static_cast<std::int64_t>(graph.nodes.size());
  const at::Tensor all = torch::tensor(graph.features).view({nodes, -1});
  return all.narrow(1, all.size(1) - static_cast<std::int64_t>(count), static_cast<std::int64_t>(count));
}

}  // namespace

LiveGraph live_graph(std::span<const Scene> scenes, std::shared_ptr<const EventModel> model,
                     const EventNetwork& network, const HierarchyOptions& options, Random& random) {
  LiveGraph live;
  EventHierarchy hierarchy(model, options);
  std::vector<EventHierarchy::Level1Sample> samples;
  std::vector<EventHierarchy::Promoted> scores;
  hierarchy.level1 = &samples, hierarchy.scores = &scores;
  for (const Scene& scene : scenes) hierarchy.push(scene), hierarchy.take_ended();
  live.graph = hierarchy.graph();
  for (const auto& score : scores)
    live.affinities[static_cast<std::size_t>(score.level)].push_back(score.affinity);

  const SceneTensors piece = scene_tensors(scenes, *model, kept_steps(options.horizon, model->delay));
  const EventRows events = event_rows(samples, piece);
  const at::Tensor e0 = network.first->embed(piece.seen()), around0 = piece.around(e0, model->delay);
  live.vipool = network.first->loss(e0, around0, Vipool::others(piece.types(), random()));
  const at::Tensor x0 = at::cat({piece.inputs, network.second->convolved(piece)}, 1);
  const at::Tensor a0 = at::sigmoid(network.first->logits(e0, around0));
  const at::Tensor x1 = x0.index_select(0, events.rows) * a0.index_select(0, events.rows).unsqueeze(1);
  const at::Tensor e1 = network.second->pool->embed(x1.narrow(1, piece.skipped, x1.size(1) - piece.skipped));
  const at::Tensor around1 = gather_messages(e1.unsqueeze(1), events.weights.unsqueeze(1), events.edges);
  const at::Tensor a1 = at::sigmoid(network.second->pool->logits(e1, around1));
  if (!events.empty())
    live.vipool =
        live.vipool + network.second->pool->loss(
                          e1, around1, Vipool::others(piece.types().index_select(0, events.rows), random()));

  // Rows of x0, of x1 and of x1 a1, one below the other.
  std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i)
    places[{samples[i].step, samples[i].entity}] = static_cast<std::int64_t>(i);
  std::vector<std::int64_t> rows;
  for (const EventGraph::Node& node : live.graph.nodes)
    rows.push_back(node.level == 0
                       ? piece.row(node.step, node.entity)
                       : x0.size(0) + (node.level - 1) * x1.size(0) + places.at({node.step, node.entity}));
  const at::Tensor all = at::cat({x0, x1, x1 * a1.unsqueeze(1)});
  live.features = at::cat(
      {all.index_select(0, torch::tensor(rows, at::kLong)), last_columns(live.graph, EventGraph::kAges)}, 1);
  return live;
}

struct JointTrainer::All : torch::nn::Module {
  All(const std::shared_ptr<ReasoningHead>& head, const EventNetwork& network) {
    register_module("head", head);
    register_module("first", network.first);
    register_module("second", network.second);
  }
};

JointTrainer::JointTrainer(EventPretraining& events, std::shared_ptr<ReasoningHead> head,
                           std::shared_ptr<const Games> games, std::vector<std::size_t> training,
                           HierarchyOptions hierarchy, GameTrainerOptions options, std::uint64_t seed)
    : events_(events),
      head_(std::move(head)),
      games_(std::move(games)),
      training_(std::move(training)),
      hierarchy_(hierarchy),
      options_(options),
      random_(seed),
      threshold_(events.model()->threshold) {
  std::erase_if(training_, [&](std::size_t g) { return (*games_)[g].questions.empty(); });
  if (training_.empty()) throw bad_data("there is no game with a question to learn from");
  all_ = std::make_shared<All>(head_, events_.network());
  optimiser_ = std::make_unique<nn::AdamW>(
      *all_,
      nn::AdamW::Options{
          .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = options_.weight_decay, .clip = 1});
}

double JointTrainer::lambda(std::int64_t at, std::int64_t steps) {
  return 2 - static_cast<double>(at) / static_cast<double>(std::max<std::int64_t>(1, steps - 1));
}

void JointTrainer::step() {
  if (finished()) return;
  events_.set_thresholds(threshold_);
  const auto model = std::make_shared<const EventModel>(events_.plain());
  std::vector<QuestionId> some;
  std::vector<LiveGraph> live;
  std::vector<at::Tensor> features;
  at::Tensor vipool = torch::zeros({});
  std::array<std::vector<float>, 2> affinities;
  for (std::int64_t g = 0; g < options_.games; ++g) {
    const std::size_t game = training_[random_.below(training_.size())];
    const auto& questions = (*games_)[game].questions;
    some.push_back({game, random_.below(questions.size())});
    const auto last = static_cast<std::size_t>(questions[some.back().question].step);
    live.push_back(live_graph(std::span((*games_)[game].scenes).first(last + 1), model, events_.network(),
                              hierarchy_, random_));
    features.push_back(live.back().features);
    vipool = vipool + live.back().vipool / static_cast<double>(options_.games);
    for (std::size_t l = 0; l < 2; ++l)
      affinities[l].insert(affinities[l].end(), live.back().affinities[l].begin(),
                           live.back().affinities[l].end());
  }
  std::vector<const EventGraph*> graphs;
  graphs.reserve(live.size());
  for (const LiveGraph& one : live) graphs.push_back(&one.graph);
  GraphBatch batch = batch_of(graphs, head_->shape());
  batch.features = at::cat(features).narrow(1, 0, head_->shape().features);
  optimiser_->zero_grad();
  dropout_.begin(random_(), options_.dropout);
  const at::Tensor task =
      task_loss(head_->forward(batch, dropout_).logits,
                answers_of(*games_, some, options_.outputs, options_.classes), options_.classes);
  dropout_.end();
  (task + lambda(at_, options_.steps) * vipool).backward();
  loss_ = task.item<double>(), events_loss_ = vipool.item<double>();
  optimiser_->step(options_.rate * nn::warmup_cosine(at_, options_.steps / 20, options_.steps));
  for (std::size_t l = 0; l < 2; ++l)
    if (!affinities[l].empty())
      threshold_[l] += kFollow * (upper_quantile(std::move(affinities[l]), model->keep[l]) - threshold_[l]);
  events_.set_thresholds(threshold_);
  if (++at_ == options_.steps) events_.settle();
}

void JointTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("at", at_);
  state.set("loss", loss_);
  state.set("events_loss", events_loss_);
  state.set("thresholds", std::vector<float>(threshold_.begin(), threshold_.end()));
  optimiser_->save(state.group("optimiser"));
}

void JointTrainer::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  at_ = state.get<std::int64_t>("at");
  loss_ = state.get<double>("loss"), events_loss_ = state.get<double>("events_loss");
  const auto thresholds = state.get<std::vector<float>>("thresholds");
  if (at_ < 0 || at_ > options_.steps || thresholds.size() != 2)
    throw bad_data("the checkpoint is of another training");
  std::copy(thresholds.begin(), thresholds.end(), threshold_.begin());
  optimiser_->load(state.group("optimiser"));
}

}  // namespace stream::events
