/// What learns the event model: its parts by hand, with and without labels.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "events/joint_training.hpp"
#include "nn/weights.hpp"
#include "timegraphs_games.hpp"

namespace stream::events {
namespace {

TEST(Vipool, NodesAreToldFromOthersOfTheirType) {
  const at::Tensor types = torch::tensor({0, 0, 1, 2, 1, 0, 1, 0}, at::kLong);
  const at::Tensor one = Vipool::others(types, 1);
  EXPECT_TRUE(at::equal(types.index_select(0, one), types));
  EXPECT_TRUE(at::equal(std::get<0>(one.sort()), torch::arange(8, at::kLong)));
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 6; ++seed)
    differs = differs || !at::equal(Vipool::others(types, seed), one);
  EXPECT_TRUE(differs);
}

TEST(Vipool, LossByHand) {
  const at::Generator generator = nn::generator(1);
  const Vipool pool(3, 4, generator);
  const at::Tensor x = torch::randn({5, 3}, generator), around = torch::randn({5, 4}, generator);
  const at::Tensor other = torch::tensor({1, 2, 3, 4, 0}, at::kLong), e = pool.embed(x);
  const VipoolMaps maps = pool.maps();
  double sum = 0;
  for (std::int64_t v = 0; v < 5; ++v) {
    const at::Tensor a = around[v].contiguous();
    const auto affinity = [&](std::int64_t u) {
      const at::Tensor row = x[u].contiguous();
      std::vector<float> of(4);
      maps.embedding(row.data_ptr<float>(), of.data());
      return static_cast<double>(maps.affinity(of.data(), a.data_ptr<float>()));
    };
    sum += -std::log(affinity(v)) - std::log(1 - affinity((v + 1) % 5));
  }
  EXPECT_NEAR(pool.loss(e, around, other).item<double>(), sum / 10, 1e-5);
}

TEST(Relational, ConvolutionByHandAndItsGradients) {
  const at::Generator generator = nn::generator(2);
  RelationalConvolution layer(3, 4, 2, 2, generator);
  const at::Tensor h = torch::randn({4, 3}, generator).requires_grad_();
  const EdgeList edges{torch::tensor({0, 1, 2, 3, 0}, at::kLong), torch::tensor({1, 2, 1, 1, 0}, at::kLong)};
  const at::Tensor relation = torch::tensor({0, 1, 0, 1, 1}, at::kLong);
  const at::Tensor norm = relation_norm(edges, relation, 4, 2);
  EXPECT_TRUE(at::equal(norm, torch::tensor({0.5f, 1.f, 0.5f, 1.f, 1.f})));
  const at::Tensor out = layer.forward(h, edges, relation, norm, {});
  const at::Tensor w = layer.matrices(), self = at::matmul(h, layer.self->weight.t()) + layer.self->bias;
  const auto send = [&](std::int64_t r, std::int64_t j) { return at::matmul(w[r], h[j]); };
  EXPECT_TRUE(at::allclose(out[1], self[1] + (send(0, 0) + send(0, 2)) / 2 + send(1, 3), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(out[3], self[3], 1e-5, 1e-6));
  // The one pass over the edges against gathering and scattering.
  const at::Tensor v = torch::randn({4, 2, 16}, generator).requires_grad_(),
                   c = torch::randn({5, 2}, generator).requires_grad_(), g = torch::randn({4, 16}, generator);
  const auto gradients = [&](const at::Tensor& y) { return torch::autograd::grad({(y * g).sum()}, {v, c}); };
  const auto fused = gradients(gather_messages(v, c, edges));
  const auto plain = gradients(
      torch::zeros({4, 16}).index_add(0, edges.dst, (v.index_select(0, edges.src) * c.unsqueeze(2)).sum(1)));
  EXPECT_TRUE(at::allclose(fused[0], plain[0], 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(fused[1], plain[1], 1e-5, 1e-5));
}

TEST(EventPretraining, SeesNoLabelsAndGoesOnWhereItStopped) {
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (const Game& game : games(3, 2)) streams->push_back(game.scenes);
  PretrainingOptions o;
  o.steps = 4, o.batch = 2;
  EventPretraining whole(pitch_vocabulary(), streams, o, 3);
  while (!whole.finished()) whole.step();
  for (const int cut : {0, 2, 4, 6, 8}) {
    EventPretraining first(pitch_vocabulary(), streams, o, 3), second(pitch_vocabulary(), streams, o, 3);
    for (int i = 0; i < cut; ++i) first.step();
    Archive state;
    first.save(state);
    second.load(state);
    while (!second.finished()) second.step();
    EXPECT_EQ(whole.model()->threshold, second.model()->threshold);
    EXPECT_EQ(whole.model()->pool[1].around.weight, second.model()->pool[1].around.weight);
  }
}

/// Nodes that leave for longer than anybody remembers, and return as others.
std::vector<Scene> with_leavers(std::uint64_t seed) {
  auto scenes = scenes_of(seed);
  for (std::size_t t = 20; t < scenes.size(); ++t) {
    if (t % 24 >= 14) continue;
    Scene& scene = scenes[t];
    scene.nodes.erase(scene.nodes.begin() + 2);
    std::erase_if(scene.edges, [](const SceneEdge& edge) { return edge.src == 2 || edge.dst == 2; });
    for (SceneEdge& edge : scene.edges) edge.src -= edge.src > 2 ? 1 : 0, edge.dst -= edge.dst > 2 ? 1 : 0;
  }
  return scenes;
}

TEST(EventPretraining, LearnsFromStreamsThatNodesLeaveAndReturnTo) {
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (const std::uint64_t seed : {2, 3}) streams->push_back(with_leavers(seed));
  PretrainingOptions o;
  o.steps = 6, o.batch = 2, o.horizon = 2, o.window = 80;
  EventPretraining learning(pitch_vocabulary(), streams, o, 3);
  while (!learning.finished()) learning.step();
  EXPECT_TRUE(std::isfinite(learning.loss()));
}

class Joint : public ::testing::Test {
 protected:
  static std::unique_ptr<EventPretraining> pretrained(std::int64_t delay, std::uint64_t seed = 3) {
    auto streams = std::make_shared<EventPretraining::Streams>();
    for (const Game& game : games(3, 2)) streams->push_back(game.scenes);
    PretrainingOptions o;
    o.delay = delay, o.steps = 6, o.batch = 2;
    auto events = std::make_unique<EventPretraining>(pitch_vocabulary(), streams, o, seed);
    while (!events->finished()) events->step();
    return events;
  }
  static HeadShape shape(const EventPretraining& events) {
    HeadShape shape = head_shape(*events.model(), Asked{{"a"}, false, false, {}});
    shape.hidden = 8, shape.layers = 2;
    return shape;
  }
};

TEST_F(Joint, FeaturesAreThoseOfTheStream) {
  for (const std::int64_t delay : {0, 1, 2}) {
    const auto events = pretrained(delay);
    const auto scenes = with_leavers(5);
    Random random(1);
    const LiveGraph live = live_graph(scenes, events->model(), events->network(), {.horizon = 3}, random);
    EventHierarchy hierarchy(events->model(), {.horizon = 3});
    for (const Scene& scene : scenes) hierarchy.push(scene);
    const EventGraph graph = hierarchy.graph();
    std::set<std::int32_t> levels;
    for (const auto& node : graph.nodes) levels.insert(node.level);
    EXPECT_EQ(levels.size(), 3u);
    const at::Tensor plain =
        torch::tensor(graph.features).view({static_cast<std::int64_t>(graph.nodes.size()), -1});
    EXPECT_TRUE(at::allclose(live.features, plain, 1e-4, 1e-4)) << delay;
  }
}

/// The task's loss alone moves every weight of the event model, by what a small change of the weight shows.
TEST_F(Joint, TheTasksGradientReachesTheEventModel) {
  const auto events = pretrained(1);
  const EventNetwork& network = events->network();
  const ReasoningHead head(shape(*events), 5);
  const auto scenes = scenes_of(6);
  const auto model = events->model();  // which nodes are events stays as it is
  const auto loss = [&] {
    Random random(1);
    const LiveGraph live = live_graph(scenes, model, network, {}, random);
    const EventGraph* one = &live.graph;
    GraphBatch batch = batch_of(std::span(&one, 1), head.shape());
    batch.features = live.features;
    return task_loss(head.forward(batch).logits, torch::ones({1, 1}), false);
  };
  for (torch::nn::Module* module : {static_cast<torch::nn::Module*>(network.first.get()),
                                    static_cast<torch::nn::Module*>(network.second.get())})
    for (auto& p : module->parameters()) p.mutable_grad() = at::Tensor();
  loss().backward();
  std::size_t reached = 0;
  for (torch::nn::Module* module : {static_cast<torch::nn::Module*>(network.first.get()),
                                    static_cast<torch::nn::Module*>(network.second.get())})
    for (auto& item : module->named_parameters(true)) {
      const std::string& name = item.key();
      at::Tensor& p = item.value();
      if (name.ends_with("slopes")) continue;  // of edges with a distance, which these have not
      ASSERT_TRUE(p.grad().defined()) << name;
      const at::Tensor g = p.grad().flatten();
      EXPECT_GT(g.abs().max().item<double>(), 0) << name;
      const std::int64_t most = g.abs().argmax().item<std::int64_t>();
      const torch::NoGradGuard no_grad;
      const double step = 1e-2;
      at::Tensor one = p.flatten()[most];
      const float was = one.item<float>();
      one.fill_(was + step);
      const double above = loss().item<double>();
      one.fill_(was - step);
      const double below = loss().item<double>();
      one.fill_(was);
      const double slope = (above - below) / (2 * step), gradient = g[most].item<double>();
      EXPECT_NEAR(slope, gradient, 0.1 * std::abs(gradient) + 2e-4) << name;
      ++reached;
    }
  EXPECT_GT(reached, 10u);
}

TEST_F(Joint, LambdaGoesFromTwoToOne) {
  EXPECT_DOUBLE_EQ(JointTrainer::lambda(0, 11), 2);
  EXPECT_DOUBLE_EQ(JointTrainer::lambda(5, 11), 1.5);
  EXPECT_DOUBLE_EQ(JointTrainer::lambda(10, 11), 1);
  EXPECT_DOUBLE_EQ(JointTrainer::lambda(0, 1), 2);
}

TEST_F(Joint, MovesTheEventModelAndGoesOnWhereItStopped) {
  const auto many = std::make_shared<const Games>(games(3, 4));
  GameTrainerOptions o;
  o.outputs = 1, o.steps = 4, o.games = 2;
  struct Run {
    explicit Run(const GameTrainerOptions& o, const std::shared_ptr<const Games>& many)
        : events(pretrained(1)),
          head(std::make_shared<ReasoningHead>(shape(*events), 5)),
          trainer(*events, head, many, {0, 1, 2}, {}, o, 7) {}
    std::unique_ptr<EventPretraining> events;
    std::shared_ptr<ReasoningHead> head;
    JointTrainer trainer;
  };
  Run whole(o, many);
  const EventModel before = *whole.events->model();
  while (!whole.trainer.finished()) whole.trainer.step();
  const EventModel after = *whole.events->model();
  EXPECT_NE(before.pool[0].embed.weight, after.pool[0].embed.weight);
  EXPECT_NE(before.convolution[0].self.weight, after.convolution[0].self.weight);
  EXPECT_NE(before.threshold, after.threshold);
  for (const int cut : {1, 3, 4}) {
    Run first(o, many), second(o, many);
    for (int i = 0; i < cut; ++i) first.trainer.step();
    Archive events, joint;
    first.events->save(events), first.trainer.save(joint);
    second.events->load(events), second.trainer.load(joint);
    while (!second.trainer.finished()) second.trainer.step();
    EXPECT_EQ(second.events->model()->threshold, after.threshold) << cut;
    EXPECT_EQ(second.events->model()->pool[1].around.weight, after.pool[1].around.weight) << cut;
    EXPECT_EQ(second.trainer.loss(), whole.trainer.loss()) << cut;
  }
}

}  // namespace
}  // namespace stream::events
