#include "events/tpp_trainer.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::events {

RowAdam::RowAdam(const at::Tensor& values)
    : values_(values),
      first_(torch::zeros_like(values)),
      second_(torch::zeros_like(values)),
      steps_(static_cast<std::size_t>(values.size(0))) {}

void RowAdam::step(const at::Tensor& gradient, std::span<const std::int64_t> rows, double learning_rate) {
  const torch::NoGradGuard no_grad;
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999;
  for (const std::int64_t row : rows) {
    const auto t = static_cast<double>(++steps_[static_cast<std::size_t>(row)]);
    at::Tensor value = values_[row], first = first_[row], second = second_[row];
    const at::Tensor g = gradient[row];
    first.lerp_(g, 1 - kBeta1);
    second.mul_(kBeta2).addcmul_(g, g, 1 - kBeta2);
    value.addcdiv_(first, second.sqrt().div_(std::sqrt(1 - std::pow(kBeta2, t))).add_(1e-8),
                   -learning_rate / (1 - std::pow(kBeta1, t)));
  }
}

void RowAdam::save(Archive& group) const {
  group.set("values", nn::snapshot(values_));
  group.set("first", nn::snapshot(first_));
  group.set("second", nn::snapshot(second_));
  group.set("steps", steps_);
}

void RowAdam::load(const Archive& group) {
  const torch::NoGradGuard no_grad;
  const auto restore = [&](const char* name, at::Tensor& into) {
    const at::Tensor from = nn::view(group.tensor(name));
    if (from.sizes() != into.sizes()) throw bad_data("the checkpoint's prompts are of another shape");
    into.copy_(from);
  };
  restore("values", values_), restore("first", first_), restore("second", second_);
  const auto steps = group.get<std::vector<std::int64_t>>("steps");
  if (steps.size() != steps_.size()) throw bad_data("the checkpoint's prompts are of another shape");
  steps_ = steps;
}

TppTrainer::TppTrainer(TppOptions options, std::uint64_t seed)
    : options_(options),
      random_(seed),
      network_(std::make_shared<PromptTpp>(options.shape, seed)),
      memory_(static_cast<std::size_t>(options.replay), stable_hash("memory", seed)) {
  if (options_.base == TppBase::kNeuralHawkes) {
    options_.shape.retrieval = Retrieval::kNone;
    recurrent_ = std::make_shared<NeuralHawkes>(options.shape.types, options.shape.type_features, seed);
  }
  optimiser_ = std::make_unique<nn::AdamW>(
      base(),
      nn::AdamW::Options{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0, .clip = 1e9});
  prompt_optimiser_ = std::make_unique<RowAdam>(network_->prompts.flatten(0, 1));
  key_optimiser_ = std::make_unique<RowAdam>(network_->keys.flatten(0, 1));
  if (options_.elastic > 0) elastic_ = std::make_unique<ElasticWeights>(base());
}

torch::nn::Module& TppTrainer::base() {
  if (recurrent_) return *recurrent_;
  return *network_;
}

std::int64_t TppTrainer::parameters() const {
  return optimiser_->parameters() + (prompted() ? network_->prompts.numel() + network_->keys.numel() : 0);
}

TppTrainer::Retrieved TppTrainer::retrieve(const TppBatch& batch, Random& random) const {
  if (!prompted()) return {};
  const auto context = network_->context(batch);
  return {context, network_->choose(context, random)};
}

at::Tensor TppTrainer::rates(const TppBatch& batch, const Retrieved& retrieved,
                             const at::Tensor& times) const {
  return recurrent_ ? recurrent_->intensities(batch, times)
                    : network_->intensities_at(batch, retrieved.context, retrieved.chosen, times);
}

/// What comparisons keep of a task, before its sequences are let go.
void TppTrainer::end_task() {
  if (options_.replay > 0)
    for (const Sequence& s : sequences_) memory_.offer(s);
  if (!elastic_) return;
  constexpr std::int64_t kMeasured = 100;
  Random unused(0);
  elastic_->consolidate(
      std::min(kMeasured, static_cast<std::int64_t>(sequences_.size())), [&](std::int64_t i) {
        const TppBatch one = batch_of(
            std::span(&sequences_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])], 1));
        const at::Tensor at_points =
            rates(one, retrieve(one, unused), PromptTpp::points_of(one, options_.shape.points));
        (-PromptTpp::log_likelihoods(one, at_points).sum()).backward();
      });
}

void TppTrainer::begin(std::vector<Sequence> sequences) {
  if (sequences.empty() || sequences[0].size() < 2)
    throw bad_data("a task needs sequences of two events and more");
  for (const Sequence& s : sequences)
    if (s.size() != sequences[0].size()) throw bad_data("the sequences of a task must be of one length");
  if (task_ >= 0) end_task();
  for (const Sequence& s : memory_.kept())
    if (s.size() != sequences[0].size()) throw bad_data("replayed sequences must be of the task's length");
  sequences_ = std::move(sequences);
  ++task_;
  epoch_ = at_ = 0;
  order_.resize(sequences_.size());
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  shuffle();
}

void TppTrainer::shuffle() {
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
}

bool TppTrainer::step() {
  if (epoch_ >= (task_ == 0 ? options_.first_epochs : options_.epochs)) return false;
  std::vector<Sequence> some;
  const auto size = static_cast<std::int64_t>(order_.size());
  for (std::int64_t i = at_; i < std::min(size, at_ + options_.batch); ++i)
    some.push_back(sequences_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])]);
  const auto kept = memory_.kept();
  for (std::int64_t i = 0; i < options_.batch && !kept.empty(); ++i)
    some.push_back(kept[random_.below(kept.size())]);
  const TppBatch batch = batch_of(some);
  optimiser_->zero_grad();
  network_->prompts.requires_grad_(prompted()), network_->keys.requires_grad_(prompted());
  Retrieved retrieved = retrieve(batch, random_);
  if (prompted()) retrieved.chosen = network_->choose_for_all(retrieved.chosen);
  const at::Tensor at_points = rates(batch, retrieved, PromptTpp::points_of(batch, options_.shape.points));
  at::Tensor loss = -PromptTpp::log_likelihoods(batch, at_points).mean();
  loss_ = loss.item<double>();
  if (prompted()) loss = loss - options_.pull * network_->similarity(retrieved.context, retrieved.chosen);
  loss.backward();
  // Fisher's information is that of a sequence, the loss is that of an event.
  if (elastic_) elastic_->pull(options_.elastic / static_cast<double>(batch.times.size(1) - 1));
  optimiser_->step(task_ == 0 ? options_.first_rate : options_.rate);
  if (prompted()) {
    std::vector<std::int64_t> rows;
    for (std::int64_t p = 0; p < options_.shape.pools(); ++p)
      rows.push_back(p * options_.shape.prompts + retrieved.chosen[p][0][0].item<std::int64_t>());
    const at::Tensor prompt_gradient = network_->prompts.grad().flatten(0, 1).clone(),
                     key_gradient = network_->keys.grad().flatten(0, 1).clone();
    network_->prompts.mutable_grad().reset(), network_->keys.mutable_grad().reset();
    network_->prompts.requires_grad_(false), network_->keys.requires_grad_(false);
    prompt_optimiser_->step(prompt_gradient, rows, options_.prompt_rate);
    key_optimiser_->step(key_gradient, rows, options_.prompt_rate);
  }
  ++steps_;
  at_ += options_.batch;
  if (at_ >= size) at_ = 0, ++epoch_, shuffle();
  return true;
}

TppTrainer::Score TppTrainer::score(std::span<const Sequence> sequences, std::int64_t points) const {
  return nn::inference([&] {
    if (points == 0) points = options_.shape.points;
    Random random(stable_hash("score"));
    double likelihood = 0, wrong = 0, events = 0;
    for (std::size_t i = 0; i < sequences.size(); i += 100) {
      const TppBatch batch = batch_of(sequences.subspan(i, std::min<std::size_t>(100, sequences.size() - i)));
      const at::Tensor at_points = rates(batch, retrieve(batch, random), PromptTpp::points_of(batch, points));
      const at::Tensor ll = PromptTpp::log_likelihoods(batch, at_points);
      likelihood += ll.sum().item<double>();
      const at::Tensor foretold = at_points.select(2, points - 1).argmax(-1);
      wrong += (foretold != batch.types.narrow(1, 1, ll.size(1))).sum().item<double>();
      events += static_cast<double>(ll.numel());
    }
    return Score{likelihood / events, wrong / events};
  });
}

double TppTrainer::gap_error(std::span<const Sequence> sequences, double horizon, std::int64_t points) const {
  return nn::inference([&] {
    Random random(stable_hash("score"));
    const at::Tensor grid = torch::linspace(0, horizon, points);
    double squares = 0, events = 0;
    constexpr std::size_t kAtOnce = 20;
    for (std::size_t i = 0; i < sequences.size(); i += kAtOnce) {
      const TppBatch batch = batch_of(sequences.subspan(i, std::min(kAtOnce, sequences.size() - i)));
      const auto m = batch.times.size(1) - 1;
      const at::Tensor left = batch.times.narrow(1, 0, m), gaps = batch.times.narrow(1, 1, m) - left;
      const at::Tensor total = rates(batch, retrieve(batch, random), left.unsqueeze(-1) + grid).sum(-1);
      const at::Tensor survival =
          at::cat({torch::ones_like(left).unsqueeze(-1), (-at::cumulative_trapezoid(total, grid)).exp()}, -1);
      const at::Tensor mean = at::trapezoid(survival, grid);
      squares += (mean - gaps.clamp_max(horizon)).square().sum().item<double>();
      events += static_cast<double>(gaps.numel());
    }
    return std::sqrt(squares / events);
  });
}

std::vector<std::vector<std::int64_t>> TppTrainer::chosen(std::span<const Sequence> sequences) const {
  return nn::inference([&] {
    Random random(stable_hash("score"));
    const at::Tensor first = network_->choose(network_->context(batch_of(sequences)), random)[0].contiguous();
    std::vector<std::vector<std::int64_t>> out;
    for (std::int64_t i = 0; i < first.size(0); ++i) {
      const auto* row = first.data_ptr<std::int64_t>() + i * first.size(1);
      out.emplace_back(row, row + first.size(1));
    }
    return out;
  });
}

void TppTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("task", task_);
  state.set("epoch", epoch_);
  state.set("at", at_);
  state.set("steps", steps_);
  state.set("loss", loss_);
  state.set("order", order_);
  optimiser_->save(state.group("optimiser"));
  if (elastic_) elastic_->save(state.group("elastic"));
  if (options_.replay > 0) memory_.save(state.group("memory"));
  prompt_optimiser_->save(state.group("prompts"));
  key_optimiser_->save(state.group("keys"));
}

void TppTrainer::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  task_ = state.get<std::int64_t>("task");
  epoch_ = state.get<std::int64_t>("epoch");
  at_ = state.get<std::int64_t>("at");
  steps_ = state.get<std::int64_t>("steps");
  loss_ = state.get<double>("loss");
  const auto order = state.get<std::vector<std::int64_t>>("order");
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted.size() != order_.size() || sorted[i] != static_cast<std::int64_t>(i))
      throw bad_data("the checkpoint is of another task");
  if (at_ < 0 || (at_ > 0 && at_ >= static_cast<std::int64_t>(order.size())))
    throw bad_data("the checkpoint is at no step of an epoch");
  order_ = order;
  optimiser_->load(state.group("optimiser"));
  if (elastic_) elastic_->load(state.group("elastic"));
  if (options_.replay > 0) memory_.load(state.group("memory"));
  prompt_optimiser_->load(state.group("prompts"));
  key_optimiser_->load(state.group("keys"));
}

}  // namespace stream::events
