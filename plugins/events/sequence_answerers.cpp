#include "events/sequence_answerers.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "stream/error.hpp"

namespace stream::events {

StepVectors::StepVectors(const Games& games, const SceneVocabulary& vocabulary) : vocabulary_(vocabulary) {
  for (const Game& game : games)
    for (const Scene& scene : game.scenes)
      nodes_ = std::max(nodes_, static_cast<std::int64_t>(scene.nodes.size()));
  width_ = nodes_ * (2 * vocabulary_.features + static_cast<std::int64_t>(vocabulary_.types.size())) +
           static_cast<std::int64_t>(vocabulary_.relations.size()) * nodes_ * nodes_ + 1;
  set_games(games);
  // Numbers in units of their spread over all steps, as the event model has them.
  const at::Tensor all = at::cat(games_);
  mean_ = all.mean(0), scale_ = all.std(0).clamp_min(1e-2);
  for (at::Tensor& game : games_) game = ((game - mean_) / scale_).clamp(-8, 8);
}

void StepVectors::set_games(const Games& games) {
  games_.clear();
  const std::int64_t f = vocabulary_.features, types = static_cast<std::int64_t>(vocabulary_.types.size()),
                     each = 2 * f + types;
  for (const Game& game : games) {
    at::Tensor steps = torch::zeros({static_cast<std::int64_t>(game.scenes.size()), width_});
    std::unordered_map<std::string, const SceneNode*> before;
    double time = game.scenes.empty() ? 0 : game.scenes[0].time;
    for (std::size_t t = 0; t < game.scenes.size(); ++t) {
      const Scene& scene = game.scenes[t];
      if (static_cast<std::int64_t>(scene.nodes.size()) > nodes_)
        throw bad_data("a step has more nodes than the sequence model has places");
      float* row = steps.data_ptr<float>() + static_cast<std::int64_t>(t) * width_;
      for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
        const SceneNode& node = scene.nodes[i];
        const SceneNode*& then = before[node.id];
        float* into = row + static_cast<std::int64_t>(i) * each;
        for (std::int64_t k = 0; k < f; ++k) {
          const float x = node.x[static_cast<std::size_t>(k)];
          into[k] = x;
          into[f + k] = then ? x - then->x[static_cast<std::size_t>(k)] : 0.f;
        }
        into[2 * f + node.type] = 1;
        then = &node;
      }
      for (const SceneEdge& edge : scene.edges)
        row[nodes_ * each + (edge.relation * nodes_ + edge.src) * nodes_ + edge.dst] = 1;
      row[width_ - 1] = static_cast<float>(scene.time - time);
      time = scene.time;
    }
    games_.push_back(mean_.defined() ? ((steps - mean_) / scale_).clamp(-8, 8) : steps);
  }
}

SequenceAnswerer::SequenceAnswerer(const Games& games, const SceneVocabulary& vocabulary, SequenceShape shape)
    : vectors_(games, vocabulary), shape_(shape) {
  set_games(games);
}

void SequenceAnswerer::set_games(const Games& games) {
  if (!at_.empty()) vectors_.set_games(games);
  at_.clear();
  for (const Game& game : games) {
    auto& some = at_.emplace_back();
    for (const Question& question : game.questions) some.push_back(question.step);
  }
}

at::Tensor SequenceAnswerer::logits(std::span<const QuestionId> questions) const {
  std::vector<at::Tensor> steps;
  for (const QuestionId& q : questions)
    steps.push_back(vectors_[q.game].narrow(0, 0, at_[q.game][q.question] + 1));
  return out_->forward(dropout(summary(steps))).view({-1, shape_.outputs});
}

GruAnswerer::GruAnswerer(const Games& games, const SceneVocabulary& vocabulary, SequenceShape shape,
                         std::uint64_t seed)
    : SequenceAnswerer(games, vocabulary, shape) {
  const at::Generator generator = nn::generator(seed);
  const std::int64_t in = 24;
  const auto count = [&](std::int64_t h) {
    return (vectors_.width() + 1) * in + 3 * h * (in + h + 2) + (h + 1) * outputs();
  };
  while (count(hidden_ + 1) <= std::max(shape.parameters, count(16))) ++hidden_;
  in_ = register_module("in", std::make_shared<nn::Linear>(vectors_.width(), in, generator));
  const auto gate = [&](const char* name, const std::vector<std::int64_t>& size) {
    gates_.push_back(register_parameter(name, nn::uniform_init(size, hidden_, generator)));
  };
  gate("input_gates", {3 * hidden_, in}), gate("hidden_gates", {3 * hidden_, hidden_});
  gate("input_bias", {3 * hidden_}), gate("hidden_bias", {3 * hidden_});
  {
    // Units remember for 1 to 200 steps to begin with (Tallec and Ollivier, "Can recurrent neural networks
    // warp time?", ICLR 2018): without that, long gaps are not learnt at all.
    const torch::NoGradGuard no_grad;
    gates_[2].narrow(0, hidden_, hidden_).copy_((torch::rand({hidden_}, generator) * 199 + 1).log());
  }
  out_ = register_module("out", std::make_shared<nn::Linear>(hidden_, outputs(), generator));
}

at::Tensor GruAnswerer::summary(const std::vector<at::Tensor>& steps) const {
  std::int64_t longest = 0;
  for (const at::Tensor& s : steps) longest = std::max(longest, s.size(0));
  std::vector<at::Tensor> padded;
  std::vector<std::int64_t> last;
  for (const at::Tensor& s : steps) {
    padded.push_back(at::constant_pad_nd(s, {0, 0, 0, longest - s.size(0)}));
    last.push_back(s.size(0) - 1);
  }
  const at::Tensor x = dropout(at::relu(in_->forward(at::stack(padded, 1))));  // [T, B, in]
  const at::Tensor start = torch::zeros({1, x.size(1), hidden_});
  const at::Tensor h = std::get<0>(at::gru(x, start, gates_, true, 1, 0, is_training(), false, false));
  return h.index({torch::tensor(last, at::kLong), torch::arange(x.size(1))});
}

TransformerAnswerer::TransformerAnswerer(const Games& games, const SceneVocabulary& vocabulary,
                                         SequenceShape shape, std::uint64_t seed)
    : SequenceAnswerer(games, vocabulary, shape) {
  const at::Generator generator = nn::generator(seed);
  const auto count = [&](std::int64_t d) {
    return (vectors_.width() + 1) * d + kSteps * d + 2 * (8 * d * d + 11 * d) + 2 * d + (d + 1) * outputs();
  };
  hidden_ = 16;
  const auto off = [&](std::int64_t d) { return std::abs(count(d) - shape.parameters); };
  while (off(hidden_ + 2) < off(hidden_)) hidden_ += 2;
  const std::int64_t d = hidden_;
  in_ = register_module("in", std::make_shared<nn::Linear>(vectors_.width(), d, generator));
  places_ = register_parameter("places", torch::empty({kSteps, d}).normal_(0, 0.1, generator));
  for (int l = 0; l < 2; ++l) {
    const std::string name = "layer" + std::to_string(l);
    const auto linear = [&](const char* part, std::int64_t from, std::int64_t to) {
      return register_module(name + part, std::make_shared<nn::Linear>(from, to, generator));
    };
    Block block{linear("mix", d, 3 * d),
                linear("back", d, d),
                linear("up", d, 2 * d),
                linear("down", 2 * d, d),
                register_module(name + "first", std::make_shared<nn::LayerNorm>(d)),
                register_module(name + "second", std::make_shared<nn::LayerNorm>(d))};
    blocks_.push_back(block);
  }
  last_ = register_module("last", std::make_shared<nn::LayerNorm>(d));
  out_ = register_module("out", std::make_shared<nn::Linear>(d, outputs(), generator));
}

at::Tensor TransformerAnswerer::summary(const std::vector<at::Tensor>& steps) const {
  const std::int64_t d = hidden_, heads = 2, b = static_cast<std::int64_t>(steps.size());
  std::vector<at::Tensor> recent;
  std::vector<std::int64_t> missing;
  for (const at::Tensor& s : steps) {
    const std::int64_t count = std::min(kSteps, s.size(0));
    recent.push_back(at::constant_pad_nd(s.narrow(0, s.size(0) - count, count), {0, 0, kSteps - count, 0}));
    missing.push_back(kSteps - count);
  }
  at::Tensor h = in_->forward(at::stack(recent)) + places_;  // [B, T, d]
  const at::Tensor place = torch::arange(kSteps);
  const at::Tensor hidden =
      place.unsqueeze(0)
          .gt(place.unsqueeze(1))
          .unsqueeze(0)
          .logical_or(
              place.view({1, 1, -1}).lt(torch::tensor(missing, at::kLong).view({b, 1, 1})));  // [B, T, T]
  const std::int64_t width = d / heads;
  const double scale = std::sqrt(static_cast<double>(width));
  for (const Block& block : blocks_) {
    const auto qkv = block.mix->forward(dropout(block.first->forward(h)))
                         .view({b, kSteps, 3, heads, width})
                         .permute({2, 0, 3, 1, 4});
    const at::Tensor scores = at::matmul(qkv[0], qkv[1].transpose(-1, -2)) / scale;
    const at::Tensor weights = at::softmax(scores.masked_fill(hidden.unsqueeze(1), -1e9), -1);
    h = h + block.back->forward(at::matmul(weights, qkv[2]).transpose(1, 2).reshape({b, kSteps, d}));
    h = h + block.down->forward(at::relu(block.up->forward(dropout(block.second->forward(h)))));
  }
  return last_->forward(h.select(1, kSteps - 1));
}

}  // namespace stream::events
