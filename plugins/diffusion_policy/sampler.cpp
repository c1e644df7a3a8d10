#include "diffusion_policy/sampler.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {

Sampler::Sampler(Policy policy, SamplerOptions options)
    : policy_(std::move(policy)),
      options_(options),
      chunks_(policy_.chunks()),
      width_(policy_.network->shape().action),
      schedule_(policy_.network->shape().noise_steps) {
  if (options_.sampling == Sampling::kImplicit &&
      (options_.implicit_steps < 1 || options_.implicit_steps > schedule_.steps()))
    throw bad_recipe("implicit_steps is " + std::to_string(options_.implicit_steps) +
                     ", expected 1 to the policy's " + std::to_string(schedule_.steps()) +
                     " diffusion steps");
}

void Sampler::reset(std::vector<Random> robots) {
  random_ = std::move(robots);
  x_.clear();
  k_.clear();
}

at::Tensor Sampler::predict(const at::Tensor& condition) {
  ++network_calls_;
  const at::Tensor x = at::from_blob(x_.data(), {robots(), chunks_.horizon, width_}, at::kFloat);
  const at::Tensor k = at::from_blob(k_.data(), {1, chunks_.horizon}, at::kLong).expand({robots(), -1});
  return policy_.network->forward(x, k, condition).contiguous();
}

void Sampler::denoise(const at::Tensor& condition) {
  const at::Tensor predicted = predict(condition);
  const float* const e = predicted.data_ptr<float>();
  for (std::int64_t b = 0; b < robots(); ++b) {
    for (std::int64_t p = 0; p < chunks_.horizon; ++p) {
      const std::int64_t k = k_[static_cast<std::size_t>(p)];
      if (k < 0) continue;
      float* const x = row(b, p);
      for (std::int64_t d = 0; d < width_; ++d) {
        const float fresh = k > 0 ? static_cast<float>(random_[static_cast<std::size_t>(b)].normal()) : 0.0f;
        x[d] = schedule_.denoised(x[d], e[(b * chunks_.horizon + p) * width_ + d], fresh, k);
      }
    }
  }
  for (std::int64_t& k : k_) k = std::max<std::int64_t>(k - 1, -1);
}

void Sampler::fill_with_noise() {
  x_.resize(static_cast<std::size_t>(robots() * chunks_.horizon * width_));
  for (std::int64_t b = 0; b < robots(); ++b) {
    for (std::int64_t i = 0; i < chunks_.horizon * width_; ++i)
      row(b, 0)[i] = static_cast<float>(random_[static_cast<std::size_t>(b)].normal());
  }
  k_.assign(static_cast<std::size_t>(chunks_.horizon), schedule_.steps() - 1);
}

void Sampler::start_buffer(const at::Tensor& condition) {
  fill_with_noise();
  const std::vector<std::int64_t> staircase = chunks_.staircase(schedule_.steps());
  std::vector<float> middle(static_cast<std::size_t>(width_), 0.0f);
  if (options_.start == Start::kConstant) policy_.actions.apply(middle, middle);
  if (options_.start == Start::kDenoised) {
    while (k_[0] >= 0) denoise(condition);
  }
  const std::int64_t behind = chunks_.executed + chunks_.observed - 1;
  for (std::int64_t p = 0; p < chunks_.horizon; ++p) {
    const bool denoised = options_.start == Start::kDenoised;
    if (denoised && p < behind) continue;
    // A sequence that has been denoised is as at the end of a call: the first chunk is clean, and the others
    // have the noise of the chunk before them.
    const std::int64_t k = staircase[static_cast<std::size_t>(denoised ? p - chunks_.executed : p)];
    k_[static_cast<std::size_t>(p)] = k;
    for (std::int64_t b = 0; b < robots(); ++b) {
      float* const x = row(b, p);
      for (std::int64_t d = 0; d < width_; ++d) {
        x[d] = denoised ? schedule_.noised(
                              x[d], static_cast<float>(random_[static_cast<std::size_t>(b)].normal()), k)
                        : schedule_.noised(middle[static_cast<std::size_t>(d)], x[d], k);
      }
    }
  }
}

void Sampler::roll() {
  const std::int64_t kept = chunks_.horizon - chunks_.executed - chunks_.tail(), past = chunks_.observed - 1;
  for (std::int64_t b = 0; b < robots(); ++b) {
    Random& random = random_[static_cast<std::size_t>(b)];
    std::copy_n(row(b, chunks_.executed), kept * width_, row(b, 0));
    for (float* x = row(b, kept); x != row(b, chunks_.horizon); ++x) *x = static_cast<float>(random.normal());
  }
  std::copy_n(k_.begin() + chunks_.executed, kept, k_.begin());
  std::fill(k_.begin() + kept, k_.end(), schedule_.steps() - 1);
  // The positions of the past take the step of the action to execute next, and its amount of noise.
  const std::int64_t now = k_[static_cast<std::size_t>(past)];
  for (std::int64_t p = 0; p < past; ++p) {
    for (std::int64_t b = 0; options_.renoise_past && b < robots(); ++b) {
      for (std::int64_t d = 0; d < width_; ++d) {
        const auto fresh = static_cast<float>(random_[static_cast<std::size_t>(b)].normal());
        row(b, p)[d] = schedule_.noised(row(b, p)[d], fresh, now);
      }
    }
    k_[static_cast<std::size_t>(p)] = now;
  }
}

std::vector<float> Sampler::call(std::span<const float> observations) {
  network_calls_ = 0;
  return nn::inference([&] {
    const DenoiserShape& shape = policy_.network->shape();
    const at::Tensor condition = torch::empty({robots(), shape.observed * shape.observation});
    policy_.observations.apply(observations, {condition.data_ptr<float>(), observations.size()});
    const auto last = static_cast<std::size_t>(chunks_.observed - 1 + chunks_.executed - 1);
    switch (options_.sampling) {
      case Sampling::kStreaming:
        if (x_.empty()) start_buffer(condition);
        while (k_[last] != -1) denoise(condition);
        break;
      case Sampling::kFull:
        fill_with_noise();
        while (k_[last] != -1) denoise(condition);
        break;
      case Sampling::kImplicit: {
        fill_with_noise();
        const auto visits = ddim_steps(schedule_.steps(), options_.implicit_steps);
        for (std::size_t i = 0; i < visits.size(); ++i) {
          std::fill(k_.begin(), k_.end(), visits[i]);
          const at::Tensor predicted = predict(condition);
          const std::int64_t target = i + 1 < visits.size() ? visits[i + 1] : -1;
          for (std::size_t j = 0; j < x_.size(); ++j)
            x_[j] = schedule_.jumped(x_[j], predicted.data_ptr<float>()[j], visits[i], target);
        }
        break;
      }
      case Sampling::kDirect: {
        x_.assign(static_cast<std::size_t>(robots() * chunks_.horizon * width_), 0.0f);
        k_.assign(static_cast<std::size_t>(chunks_.horizon), -1);
        const at::Tensor predicted = predict(condition);
        std::copy_n(predicted.data_ptr<float>(), x_.size(), x_.begin());
        break;
      }
    }
    std::vector<float> actions(static_cast<std::size_t>(robots() * chunks_.executed * width_));
    for (std::int64_t b = 0; b < robots(); ++b)
      std::copy_n(row(b, chunks_.observed - 1), chunks_.executed * width_,
                  actions.begin() + b * chunks_.executed * width_);
    policy_.actions.invert(actions, actions);
    if (options_.sampling == Sampling::kStreaming) roll();
    return actions;
  });
}

void Sampler::save(Archive& state) const {
  std::vector<std::int64_t> words;
  for (const Random& random : random_) {
    const auto one = random.state();
    words.insert(words.end(), one.begin(), one.end());
  }
  state.set("random", words);
  state.set("begun", !x_.empty());
  if (x_.empty()) return;
  state.set("buffer", x_);
  state.set("steps", k_);
}

void Sampler::load(const Archive& state) {
  const auto words = state.get<std::vector<std::int64_t>>("random");
  if (words.size() % 4 != 0) throw bad_data("'random' holds no states of generators");
  random_.assign(words.size() / 4, Random());
  for (std::size_t b = 0; b < random_.size(); ++b)
    random_[b].restore({words.begin() + static_cast<std::ptrdiff_t>(4 * b),
                        words.begin() + static_cast<std::ptrdiff_t>(4 * b + 4)});
  x_.clear();
  k_.clear();
  if (!state.get<bool>("begun")) return;
  auto x = state.get<std::vector<float>>("buffer");
  auto k = state.get<std::vector<std::int64_t>>("steps");
  if (x.size() != random_.size() * static_cast<std::size_t>(chunks_.horizon * width_) ||
      k.size() != static_cast<std::size_t>(chunks_.horizon) ||
      std::any_of(k.begin(), k.end(), [&](std::int64_t v) { return v < -1 || v >= schedule_.steps(); }))
    throw bad_data("the action buffer belongs to another policy");
  x_ = std::move(x);
  k_ = std::move(k);
}

std::size_t Sampler::state_bytes() const {
  return x_.size() * sizeof(float) + k_.size() * sizeof(std::int64_t) + random_.size() * sizeof(Random);
}

}  // namespace stream::diffusion_policy
