#include "diffusion_policy/study_exact.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "nn/device.hpp"

namespace stream::diffusion_policy {
namespace {

std::vector<float> made_up(std::int64_t count, Random& random) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& v : out) v = static_cast<float>(random.uniform(-1, 1));
  return out;
}

/// DDPM of one amount of noise for the whole sequence, as published, on values that are given.
std::vector<float> plainly_denoised(const Denoiser& network, std::vector<float> x,
                                    const at::Tensor& condition, Random& random) {
  const DenoiserShape& shape = network.shape();
  const NoiseSchedule schedule(shape.noise_steps);
  for (std::int64_t k = shape.noise_steps - 1; k >= 0; --k) {
    const at::Tensor steps = torch::full({1, shape.horizon}, k, at::kLong);
    const at::Tensor e =
        network
            .forward(at::from_blob(x.data(), {1, shape.horizon, shape.action}, at::kFloat), steps, condition)
            .contiguous();
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] =
          schedule.denoised(x[i], e.data_ptr<float>()[i], k > 0 ? static_cast<float>(random.normal()) : 0, k);
  }
  return x;
}

Policy untrained(const DenoiserShape& shape, std::int64_t executed, std::uint64_t seed) {
  const auto identity = [](std::int64_t width) {
    return Normaliser{std::vector<float>(static_cast<std::size_t>(width), 1),
                      std::vector<float>(static_cast<std::size_t>(width), 0)};
  };
  return {Objective::kDiffusion, executed, std::make_shared<Denoiser>(shape, nn::generator(seed)),
          identity(shape.observation), identity(shape.action)};
}

}  // namespace

bool one_chunk_is_plain_sampling(std::uint64_t seed) {
  DenoiserShape shape;
  shape.horizon = 8, shape.observed = 1, shape.observation = 3, shape.noise_steps = 12, shape.dims = {8, 16};
  const Policy policy = untrained(shape, 8, seed);
  Sampler sampler(policy, {.sampling = Sampling::kStreaming, .start = Start::kDenoised});
  Random random(seed), plain(seed);
  sampler.reset({random});
  Random observations(seed + 1);
  std::vector<float> x;
  for (int call = 0; call < 3; ++call) {
    const std::vector<float> seen = made_up(shape.observation, observations);
    const std::vector<float> streamed = sampler.call(seen);
    const std::vector<float> expected = nn::inference([&] {
      const at::Tensor condition = torch::tensor(seen).unsqueeze(0);
      // The buffer draws what it appends when it rolls, at the end of the call before.
      std::vector<float> noise(static_cast<std::size_t>(shape.horizon * shape.action));
      for (float& v : noise) v = static_cast<float>(plain.normal());
      return plainly_denoised(*policy.network, std::move(noise), condition, plain);
    });
    if (streamed.size() != expected.size() ||
        std::memcmp(streamed.data(), expected.data(), streamed.size() * sizeof(float)) != 0)
      return false;
  }
  return true;
}

bool positions_are_told_apart(const Policy& policy, std::uint64_t seed) {
  return nn::inference([&] {
    const DenoiserShape& shape = policy.network->shape();
    Random random(seed);
    const std::vector<float> x = made_up(shape.horizon * shape.action, random);
    const std::vector<float> seen = made_up(shape.observed * shape.observation, random);
    const at::Tensor noisy = torch::tensor(x).view({1, shape.horizon, shape.action});
    const at::Tensor condition = torch::tensor(seen).unsqueeze(0);
    const at::Tensor steps = torch::tensor(policy.chunks().staircase(shape.noise_steps)).unsqueeze(0);
    at::Tensor exchanged = steps.clone();
    exchanged[0][shape.observed] = steps[0][shape.horizon - 1];
    exchanged[0][shape.horizon - 1] = steps[0][shape.observed];
    const at::Tensor a = policy.network->forward(noisy, steps, condition);
    const at::Tensor b = policy.network->forward(noisy, exchanged, condition);
    return (a - b).abs().max().item<float>() > 1e-4f;
  });
}

/// What a call returns depends on the buffer that the calls before it left, whatever is drawn and seen.
bool buffer_is_carried(const Policy& policy, std::uint64_t seed) {
  Sampler one(policy, {.sampling = Sampling::kStreaming}), other(policy, {.sampling = Sampling::kStreaming});
  Random random(seed);
  one.reset({Random(random())});
  const DenoiserShape& shape = policy.network->shape();
  const auto seen = [&] { return made_up(shape.observed * shape.observation, random); };
  for (int call = 0; call < 3; ++call) one.call(seen());
  Archive state;
  one.save(state);
  auto buffer = one.buffer();
  for (float& v : buffer) v += 0.25f;
  state.set("buffer", buffer);
  other.load(state);
  const std::vector<float> next = seen(), a = one.call(next), b = other.call(next);
  float apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) apart = std::max(apart, std::abs(a[i] - b[i]));
  return apart > 1e-3f;
}

void ExactPart::time_pairs() {
  Sampler streaming(options_.streaming, {.sampling = Sampling::kStreaming});
  Sampler full(options_.diffusion, {.sampling = Sampling::kFull});
  Random random(options_.seed);
  streaming.reset({Random(random())});
  full.reset({Random(random())});
  const DenoiserShape& shape = options_.streaming.network->shape();
  using Clock = std::chrono::steady_clock;
  for (std::int64_t i = 0; i < options_.calls; ++i) {
    const std::vector<float> seen = made_up(shape.observed * shape.observation, random);
    const auto t0 = Clock::now();
    streaming.call(seen);
    const auto t1 = Clock::now();
    full.call(seen);
    const auto t2 = Clock::now();
    streaming_calls_.push_back(streaming.network_calls());
    full_calls_.push_back(full.network_calls());
    if (i == 0) first_bytes_ = streaming.state_bytes();
    last_bytes_ = streaming.state_bytes();
    // What rolled in at the end of one call is where the next begins: labels say so.
    carried_ =
        carried_ && streaming.steps()[static_cast<std::size_t>(shape.observed)] < shape.noise_steps - 1;
    // The first call of either warms it up.
    if (i > 0)
      ratios_.push_back(std::chrono::duration<double>(t1 - t0) / std::chrono::duration<double>(t2 - t1));
  }
}

bool ExactPart::step() {
  if (done_) return false;
  time_pairs();
  done_ = true;
  if (options_.time) return true;
  equal_ = one_chunk_is_plain_sampling(options_.seed);
  carried_ = carried_ && buffer_is_carried(options_.streaming, options_.seed);
  told_apart_ = positions_are_told_apart(options_.streaming, options_.seed);
  return true;
}

std::vector<Object> ExactPart::records() const {
  const std::int64_t n = options_.streaming.network->shape().noise_steps;
  const std::int64_t h = options_.streaming.chunks().count();
  const auto all = [](const std::vector<std::int64_t>& calls, std::int64_t expected) {
    return !calls.empty() && std::all_of(calls.begin(), calls.end(), [&](auto c) { return c == expected; });
  };
  std::vector<Object> out;
  if (options_.time) {
    const double ratio = median(ratios_);
    out.push_back(claim("time of a call against that of the diffusion policy, median of pairs", "faster", 1.0,
                        ratio, "<= 0.35", ratio <= 0.35));
    return out;
  }
  out.push_back(
      claim("network calls in every call, N/h of N = " + std::to_string(n) + ", h = " + std::to_string(h),
            "N/h", full_calls_.front(), streaming_calls_.front(), "= " + std::to_string(n / h),
            n % h == 0 && all(streaming_calls_, n / h) && all(full_calls_, n)));
  out.push_back(claim("bytes of state after the last call", Value(), static_cast<std::int64_t>(first_bytes_),
                      static_cast<std::int64_t>(last_bytes_), "as after the first",
                      first_bytes_ == last_bytes_));
  out.push_back(
      claim("the buffer is carried over: what comes next is less noisy than noise, and actions depend on it",
            Value(), Value(), carried_, "true", carried_));
  out.push_back(claim("one chunk (h = 1) is plain DDPM sampling, bit for bit", Value(), Value(), equal_,
                      "true", equal_));
  out.push_back(claim("the network tells the diffusion steps of two positions apart", Value(), Value(),
                      told_apart_, "true", told_apart_));
  return out;
}

}  // namespace stream::diffusion_policy
