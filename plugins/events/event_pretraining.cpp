#include "events/event_pretraining.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

nn::AdamW::Options adam() {
  return {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0, .clip = 1};
}

/// A generator is seeded by what a run of the other parts does not draw.
at::Generator weights(std::uint64_t seed, const char* of) { return nn::generator(stable_hash(of, seed)); }

}  // namespace

float upper_quantile(std::vector<float> values, double keep) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at =
      std::min(values.size() - 1, static_cast<std::size_t>((1 - keep) * static_cast<double>(values.size())));
  return at == 0 ? values[0] : (values[at - 1] + values[at]) / 2;
}

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
  network_ = {std::make_shared<Vipool>(inputs, options_.embedded, weights(seed, "first")),
              std::make_shared<EventRelations>(inputs, options_.hidden, options_.embedded, relations,
                                               options_.bases, weights(seed, "second"))};
  begin_stage();
}

void EventPretraining::begin_stage() {
  torch::nn::Module& learner =
      stage_ == 0 ? static_cast<torch::nn::Module&>(*network_.first) : *network_.second;
  optimiser_ = std::make_unique<nn::AdamW>(learner, adam());
  at_ = 0;
}

EventModel EventPretraining::plain() const {
  EventModel m;
  m.vocabulary = vocabulary_;
  m.delay = options_.delay, m.keep = options_.keep, m.threshold = threshold_, m.unit = unit_;
  m.mean = mean_, m.scale = scale_;
  network_.write(m);
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

void EventPretraining::find_threshold(std::size_t level) {
  threshold_[level] = upper_quantile(scores(level, level == 0 ? Promotion::kNone : Promotion::kAffinity),
                                     options_.keep[level]);
}

void EventPretraining::settle() {
  for (std::size_t level = 0; level < 2; ++level) find_threshold(level);
  model_ = std::make_shared<const EventModel>(plain());
}

void EventPretraining::end_stage() {
  find_threshold(static_cast<std::size_t>(stage_));
  if (++stage_ < 2) return begin_stage();
  optimiser_.reset();
  at_ = 0;
  model_ = std::make_shared<const EventModel>(plain());
}

at::Tensor EventPretraining::first_loss(const SceneTensors& piece) {
  const Vipool& pool = *network_.first;
  const at::Tensor e = pool.embed(piece.seen());
  return pool.loss(e, piece.around(e, options_.delay), Vipool::others(piece.types(), random_()));
}

at::Tensor EventPretraining::second_loss(const std::vector<Scene>& scenes, const SceneTensors& piece) {
  EventHierarchy hierarchy(std::make_shared<const EventModel>(plain()), {.horizon = options_.horizon});
  std::vector<EventHierarchy::Level1Sample> samples;
  hierarchy.level1 = &samples;
  for (const Scene& scene : scenes) hierarchy.push(scene);
  const EventRows events = event_rows(samples, piece);
  if (events.empty()) return {};
  const at::Tensor x =
      at::cat({piece.seen(), network_.second->convolved(piece)}, 1).index_select(0, events.rows) *
      torch::tensor(events.affinity).unsqueeze(1);
  const Vipool& pool = *network_.second->pool;
  const at::Tensor e = pool.embed(x);
  const at::Tensor around = gather_messages(e.unsqueeze(1), events.weights.unsqueeze(1), events.edges);
  return pool.loss(e, around, Vipool::others(piece.types().index_select(0, events.rows), random_()));
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
    const SceneTensors piece = scene_tensors(scenes, model, kept_steps(options_.horizon, options_.delay));
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
  nn::save_weights(*network_.first, state.group("first"));
  nn::save_weights(*network_.second, state.group("second"));
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
  nn::load_weights(*network_.first, state.group("first"));
  nn::load_weights(*network_.second, state.group("second"));
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
