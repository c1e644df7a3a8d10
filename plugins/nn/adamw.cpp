#include "nn/adamw.hpp"

#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::nn {

AdamW::AdamW(torch::nn::Module& module, Options options) : options_(options) {
  const torch::NoGradGuard no_grad;
  auto parameters = module.parameters();
  std::vector<at::Tensor> flat, decay;
  for (const auto& p : parameters) {
    flat.push_back(p.detach().reshape({-1}));
    decay.push_back(torch::full({p.numel()}, p.dim() >= 2 ? 1.0f : 0.0f));
  }
  weights_ = torch::cat(flat);
  decay_ = torch::cat(decay);
  gradient_ = torch::zeros_like(weights_);
  first_ = torch::zeros_like(weights_);
  second_ = torch::zeros_like(weights_);
  std::int64_t at = 0;
  for (auto& p : parameters) {
    const auto size = p.numel();
    p.set_data(weights_.narrow(0, at, size).view(p.sizes()));
    p.mutable_grad() = gradient_.narrow(0, at, size).view(p.sizes());
    at += size;
  }
}

double AdamW::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  const double norm = gradient_.norm().item<double>();
  if (!std::isfinite(norm)) return norm;
  if (norm > options_.clip) gradient_.mul_(options_.clip / norm);
  ++steps_;
  first_.lerp_(gradient_, 1 - options_.beta1);
  second_.mul_(options_.beta2).addcmul_(gradient_, gradient_, 1 - options_.beta2);
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  weights_.addcmul_(weights_, decay_, -learning_rate * options_.weight_decay);
  weights_.addcdiv_(first_, second_.sqrt().mul_(1 / std::sqrt(correction2)).add_(options_.epsilon),
                    -learning_rate / correction1);
  return norm;
}

void AdamW::save(Archive& group) const {
  group.set("steps", steps_);
  group.set("weights", snapshot(weights_));
  group.set("first_moment", snapshot(first_));
  group.set("second_moment", snapshot(second_));
}

void AdamW::load(const Archive& group) {
  const torch::NoGradGuard no_grad;
  const auto restore = [&](const char* name, at::Tensor& into) {
    const at::Tensor from = view(group.tensor(name));
    if (from.numel() != into.numel() || from.scalar_type() != at::kFloat)
      throw bad_data(std::string("optimizer state '") + name + "' belongs to a model of another size");
    into.copy_(from.view_as(into));
  };
  steps_ = group.get<std::int64_t>("steps");
  restore("weights", weights_);
  restore("first_moment", first_);
  restore("second_moment", second_);
}

}  // namespace stream::nn
