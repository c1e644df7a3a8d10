#include "events/continual.hpp"

#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::events {

ElasticWeights::ElasticWeights(const torch::nn::Module& module) : parameters_(module.parameters()) {
  for (const at::Tensor& p : parameters_) {
    fresh_.push_back(torch::zeros_like(p)), weight_.push_back(torch::zeros_like(p));
    anchor_.push_back(torch::zeros_like(p));
  }
}

void ElasticWeights::zero_grad() const {
  for (const at::Tensor& p : parameters_)
    if (p.grad().defined()) p.grad().zero_();
}

void ElasticWeights::add_squares(double share) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    fresh_[i].addcmul_(parameters_[i].grad(), parameters_[i].grad(), share);
}

void ElasticWeights::settle() {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    weight_[i].add_(fresh_[i]);
    anchor_[i].addcmul_(fresh_[i], parameters_[i]);
    fresh_[i].zero_();
  }
}

void ElasticWeights::pull(double lambda) const {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    parameters_[i].grad().add_(weight_[i] * parameters_[i] - anchor_[i], lambda);
}

void ElasticWeights::save(Archive& group) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    group.set("weight_" + std::to_string(i), nn::snapshot(weight_[i]));
    group.set("anchor_" + std::to_string(i), nn::snapshot(anchor_[i]));
  }
}

void ElasticWeights::load(const Archive& group) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    for (const auto& [name, into] : {std::pair{"weight_", weight_[i]}, std::pair{"anchor_", anchor_[i]}}) {
      const at::Tensor from = nn::view(group.tensor(name + std::to_string(i)));
      if (from.sizes() != into.sizes())
        throw bad_data("the checkpoint's consolidated weights are of another shape");
      into.copy_(from);
    }
}

void Reservoir::offer(const Sequence& sequence) {
  ++offered_;
  if (kept_.size() < most_) return kept_.push_back(sequence);
  const std::uint64_t at = random_.below(static_cast<std::uint64_t>(offered_));
  if (at < most_) kept_[at] = sequence;
}

void Reservoir::save(Archive& group) const {
  std::vector<double> times;
  std::vector<std::int64_t> types, lengths;
  for (const Sequence& s : kept_) {
    lengths.push_back(static_cast<std::int64_t>(s.size()));
    for (const TypedEvent& e : s) times.push_back(e.time), types.push_back(e.type);
  }
  group.set("times", times), group.set("types", types), group.set("lengths", lengths);
  group.set("offered", offered_), group.set("rng", random_.state());
}

void Reservoir::load(const Archive& group) {
  const auto times = group.get<std::vector<double>>("times");
  const auto types = group.get<std::vector<std::int64_t>>("types"),
             lengths = group.get<std::vector<std::int64_t>>("lengths");
  if (times.size() != types.size() || lengths.size() > most_)
    throw bad_data("the checkpoint's memory is of another size");
  kept_.clear();
  std::size_t at = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::size_t>(length) > times.size() - at)
      throw bad_data("the checkpoint's memory is cut short");
    Sequence s;
    for (std::int64_t i = 0; i < length; ++i, ++at)
      s.push_back({times[at], static_cast<std::int32_t>(types[at])});
    kept_.push_back(std::move(s));
  }
  offered_ = group.get<std::int64_t>("offered");
  random_.restore(group.get<std::vector<std::int64_t>>("rng"));
}

}  // namespace stream::events
