#include "events/event_pretraining.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

std::vector<float> flat(const at::Tensor& tensor) {
  const at::Tensor t = tensor.detach().contiguous();
  return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
}

Affine affine(const at::Tensor& weight, const at::Tensor& bias) {
  return {static_cast<std::size_t>(weight.size(1)), static_cast<std::size_t>(weight.size(0)),
          flat(weight.t()), bias.defined() ? flat(bias) : std::vector<float>()};
}

at::Tensor longs(const std::vector<std::int64_t>& values) { return torch::tensor(values, at::kLong); }

nn::AdamW::Options adam() {
  return {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0, .clip = 1};
}

/// A value that a share of `keep` lies above, in the middle between two of them.
float upper_quantile(std::vector<float> values, double keep) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at =
      std::min(values.size() - 1, static_cast<std::size_t>((1 - keep) * static_cast<double>(values.size())));
  return at == 0 ? values[0] : (values[at - 1] + values[at]) / 2;
}

/// A generator is seeded by what a run of the other parts does not draw.
at::Generator weights(std::uint64_t seed, const char* of) { return nn::generator(stable_hash(of, seed)); }

}  // namespace

Vipool::Vipool(std::int64_t in, std::int64_t embedded, const at::Generator& generator)
    : embed_(register_module("embed", std::make_shared<nn::Linear>(in, embedded, generator))),
      around_(register_module("around", std::make_shared<nn::Linear>(embedded, embedded, generator, false))),
      bilinear_(
          register_module("bilinear", std::make_shared<nn::Linear>(embedded, embedded, generator, false))),
      slope_(register_parameter("slope", torch::full({1}, 0.25))) {}

at::Tensor Vipool::embed(const at::Tensor& x) const { return at::prelu(embed_->forward(x), slope_); }

at::Tensor Vipool::logits(const at::Tensor& embedding, const at::Tensor& around) const {
  return (at::sigmoid(around_->forward(around)) * bilinear_->forward(embedding)).sum(-1);
}

at::Tensor Vipool::loss(const at::Tensor& embedding, const at::Tensor& around,
                        const at::Tensor& other) const {
  return (at::softplus(-logits(embedding, around)).mean() +
          at::softplus(logits(embedding.index_select(0, other), around)).mean()) /
         2;
}

at::Tensor Vipool::others(const at::Tensor& types, std::uint64_t seed) {
  const at::Tensor any = torch::randperm(types.size(0), nn::generator(seed), at::kLong);
  const at::Tensor places = std::get<1>(types.sort(true, 0, false)),
                   shuffled = std::get<1>(types.index_select(0, any).sort(true, 0, false));
  return torch::empty_like(any).index_copy_(0, places, any.index_select(0, shuffled));
}

VipoolMaps Vipool::maps() const {
  return {affine(embed_->weight, embed_->bias), slope_.item<float>(), affine(around_->weight, {}),
          affine(bilinear_->weight, {})};
}

/// What the second stage learns: the event features, and the score of level 1 on them.
class EventPretraining::Relational : public torch::nn::Module {
 public:
  Relational(std::int64_t inputs, std::int64_t relations, const PretrainingOptions& o,
             const at::Generator& generator)
      : layers{register_module("first", std::make_shared<RelationalConvolution>(inputs, o.hidden, relations,
                                                                                o.bases, generator)),
               register_module("second", std::make_shared<RelationalConvolution>(
                                             o.hidden, o.hidden, relations, o.bases, generator))},
        pool(register_module("pool", std::make_shared<Vipool>(inputs + o.hidden, o.embedded, generator))) {}
  /// [n, seen + hidden]
  at::Tensor features(const SceneTensors& piece, std::int64_t relations) const {
    const at::Tensor norm = relation_norm(piece.typed, piece.relation, piece.inputs.size(0), relations);
    at::Tensor h = piece.seen();
    for (const auto& layer : layers) h = at::relu(layer->forward(h, piece.typed, piece.relation, norm, {}));
    return at::cat({piece.seen(), h}, 1);
  }
  std::array<std::shared_ptr<RelationalConvolution>, 2> layers;
  std::shared_ptr<Vipool> pool;
};

EventPretraining::EventPretraining(SceneVocabulary vocabulary, std::shared_ptr<const Streams> streams,
                                   PretrainingOptions options, std::uint64_t seed)
    : vocabulary_(std::move(vocabulary)), streams_(std::move(streams)), options_(options), random_(seed) {
  const auto f = static_cast<std::size_t>(vocabulary_.features);
  std::vector<double> sum(2 * f), squares(2 * f), gaps;
  double count = 0;
  for (const auto& stream : *streams_) {
    if (static_cast<std::int64_t>(stream.size()) < options_.window)
      throw bad_data("a stream of " + std::to_string(stream.size()) +
                     " steps is shorter than the window of " + std::to_string(options_.window));
    std::unordered_map<std::string, const SceneNode*> before;
    for (std::size_t t = 0; t < stream.size(); ++t) {
      if (t > 0 && stream[t].time > stream[t - 1].time) gaps.push_back(stream[t].time - stream[t - 1].time);
      for (const SceneNode& node : stream[t].nodes) {
        const SceneNode*& then = before[node.id];
        for (std::size_t i = 0; i < f; ++i) {
          const double x = static_cast<double>(node.x[i]),
                       change = then ? x - static_cast<double>(then->x[i]) : 0;
          sum[i] += x, squares[i] += x * x;
          sum[f + i] += change, squares[f + i] += change * change;
        }
        then = &node, ++count;
      }
    }
  }
  if (streams_->empty() || count == 0) throw bad_data("there are no scenes to learn from");
  for (std::size_t i = 0; i < 2 * f; ++i) {
    const double m = sum[i] / count;
    mean_.push_back(static_cast<float>(m));
    scale_.push_back(static_cast<float>(std::sqrt(std::max(squares[i] / count - m * m, 1e-8))));
  }
  if (!gaps.empty()) {
    std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2), gaps.end());
    unit_ = gaps[gaps.size() / 2];
  }
  const auto inputs = static_cast<std::int64_t>(f + vocabulary_.types.size());
  const auto relations = static_cast<std::int64_t>(2 * vocabulary_.relations.size() + 1);
  first_ = std::make_shared<Vipool>(inputs, options_.embedded, weights(seed, "first"));
  second_ = std::make_shared<Relational>(inputs, relations, options_, weights(seed, "second"));
  begin_stage();
}

void EventPretraining::begin_stage() {
  torch::nn::Module& learner = stage_ == 0 ? static_cast<torch::nn::Module&>(*first_) : *second_;
  optimiser_ = std::make_unique<nn::AdamW>(learner, adam());
  at_ = 0;
}

EventModel EventPretraining::plain() const {
  EventModel m;
  m.vocabulary = vocabulary_;
  m.delay = options_.delay, m.keep = options_.keep, m.threshold = threshold_, m.unit = unit_;
  m.mean = mean_, m.scale = scale_;
  m.pool = {first_->maps(), second_->pool->maps()};
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& layer = *second_->layers[l];
    m.convolution[l].self = affine(layer.self->weight, layer.self->bias);
    const at::Tensor all = layer.matrices();
    for (std::int64_t r = 0; r < all.size(0); ++r) m.convolution[l].relations.push_back(affine(all[r], {}));
  }
  return m;
}

std::vector<float> EventPretraining::scores(std::size_t level, Promotion promotion) const {
  const auto model = std::make_shared<const EventModel>(plain());
  std::vector<float> all;
  for (std::size_t s = 0; s < streams_->size() && s < static_cast<std::size_t>(options_.streams); ++s) {
    EventHierarchy hierarchy(model, {.promotion = promotion, .horizon = options_.horizon});
    std::vector<EventHierarchy::Promoted> seen;
    hierarchy.scores = &seen;
    for (const Scene& scene : (*streams_)[s]) hierarchy.push(scene);
    for (const auto& score : seen)
      if (score.level == static_cast<std::int64_t>(level)) all.push_back(score.affinity);
  }
  return all;
}

void EventPretraining::end_stage() {
  const auto stage = static_cast<std::size_t>(stage_);
  threshold_[stage] = upper_quantile(scores(stage, stage == 0 ? Promotion::kNone : Promotion::kAffinity),
                                     options_.keep[stage]);
  if (++stage_ < 2) return begin_stage();
  optimiser_.reset();
  at_ = 0;
  model_ = std::make_shared<const EventModel>(plain());
}

at::Tensor EventPretraining::first_loss(const SceneTensors& piece) {
  const at::Tensor e = first_->embed(piece.seen());
  const at::Tensor around = piece.around(e, options_.delay);
  return first_->loss(e, around, Vipool::others(piece.types(), random_()));
}

at::Tensor EventPretraining::second_loss(const std::vector<Scene>& scenes, const SceneTensors& piece) {
  const auto model = std::make_shared<const EventModel>(plain());
  EventHierarchy hierarchy(model, {.horizon = options_.horizon});
  std::vector<EventHierarchy::Level1Sample> samples;
  hierarchy.level1 = &samples;
  for (const Scene& scene : scenes) hierarchy.push(scene);
  std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> rows;
  std::vector<std::int64_t> nodes, src, dst;
  std::vector<float> affinity, weights;
  for (const auto& sample : samples) {
    const auto& there = piece.entities[static_cast<std::size_t>(sample.step)];
    const auto at = std::find(there.begin(), there.end(), sample.entity) - there.begin();
    const auto row = static_cast<std::int64_t>(nodes.size());
    rows[{sample.step, sample.entity}] = row;
    nodes.push_back(piece.first[static_cast<std::size_t>(sample.step)] + at);
    affinity.push_back(sample.affinity);
  }
  for (const auto& sample : samples)
    for (const auto& neighbour : sample.neighbours) {
      src.push_back(rows.at({neighbour.step, neighbour.entity}));
      dst.push_back(rows.at({sample.step, sample.entity})), weights.push_back(neighbour.weight);
    }
  if (nodes.size() < 2 || src.empty()) return {};
  const at::Tensor x =
      second_->features(piece, static_cast<std::int64_t>(model->relations())).index_select(0, longs(nodes)) *
      torch::tensor(affinity).unsqueeze(1);
  const at::Tensor e = second_->pool->embed(x);
  const at::Tensor around =
      gather_messages(e.unsqueeze(1), torch::tensor(weights).unsqueeze(1), {longs(src), longs(dst)});
  return second_->pool->loss(e, around,
                             Vipool::others(piece.types().index_select(0, longs(nodes)), random_()));
}

void EventPretraining::step() {
  if (finished()) return;
  const EventModel model = plain();
  optimiser_->zero_grad();
  double sum = 0;
  for (std::int64_t b = 0; b < options_.batch; ++b) {
    const auto& stream = (*streams_)[random_.below(streams_->size())];
    const auto begin = random_.below(stream.size() - static_cast<std::size_t>(options_.window) + 1);
    const std::vector<Scene> scenes(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                    stream.begin() + static_cast<std::ptrdiff_t>(begin) + options_.window);
    const SceneTensors piece = scene_tensors(scenes, model);
    const at::Tensor loss = stage_ == 0 ? first_loss(piece) : second_loss(scenes, piece);
    if (!loss.defined()) continue;
    (loss / static_cast<double>(options_.batch)).backward();
    sum += loss.item<double>();
  }
  optimiser_->step(options_.rate * nn::warmup_cosine(at_, options_.steps / 20, options_.steps));
  loss_ = sum / static_cast<double>(options_.batch);
  if (++at_ == options_.steps) end_stage();
}

void EventPretraining::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("stage", stage_);
  state.set("at", at_);
  state.set("loss", loss_);
  state.set("thresholds", std::vector<float>(threshold_.begin(), threshold_.end()));
  nn::save_weights(*first_, state.group("first"));
  nn::save_weights(*second_, state.group("second"));
  if (optimiser_) optimiser_->save(state.group("optimiser"));
}

void EventPretraining::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  stage_ = state.get<std::int64_t>("stage");
  const auto at = state.get<std::int64_t>("at");
  loss_ = state.get<double>("loss");
  const auto thresholds = state.get<std::vector<float>>("thresholds");
  if (stage_ < 0 || stage_ > 2 || at < 0 || at > options_.steps || thresholds.size() != 2)
    throw bad_data("the checkpoint is of another training");
  std::copy(thresholds.begin(), thresholds.end(), threshold_.begin());
  nn::load_weights(*first_, state.group("first"));
  nn::load_weights(*second_, state.group("second"));
  if (stage_ < 2) {
    begin_stage();
    optimiser_->load(state.group("optimiser"));
  } else {
    optimiser_.reset();
    model_ = std::make_shared<const EventModel>(plain());
  }
  at_ = at;
}

}  // namespace stream::events
