#include "diffusion_policy/denoiser.hpp"

#include "diffusion_policy/mish.hpp"

#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr std::int64_t kKernel = 5, kGroups = 8;

}  // namespace

/// Conv1d (same length), GroupNorm, Mish.
class ConvBlock final : public torch::nn::Module {
 public:
  ConvBlock(std::int64_t in, std::int64_t out, const at::Generator& generator) {
    weight = register_parameter("conv_weight", nn::uniform_init({out, in, kKernel}, in * kKernel, generator));
    bias = register_parameter("conv_bias", nn::uniform_init({out}, in * kKernel, generator));
    scale = register_parameter("norm_weight", torch::ones({out}));
    shift = register_parameter("norm_bias", torch::zeros({out}));
  }
  at::Tensor forward(const at::Tensor& x) const {
    return Mish::of(at::group_norm(at::conv1d(x, weight, bias, 1, kKernel / 2), kGroups, scale, shift));
  }
  at::Tensor weight, bias, scale, shift;
};

/// Two ConvBlocks with a scale and a shift for each channel between them, made from the condition.
class FilmBlock final : public torch::nn::Module {
 public:
  FilmBlock(std::int64_t in, std::int64_t out, std::int64_t condition, const at::Generator& generator)
      : first(std::make_shared<ConvBlock>(in, out, generator)),
        second(std::make_shared<ConvBlock>(out, out, generator)),
        film(std::make_shared<nn::Linear>(condition, 2 * out, generator)) {
    register_module("first", first);
    register_module("second", second);
    register_module("film", film);
    if (in != out) {
      shortcut_weight = register_parameter("shortcut_weight", nn::uniform_init({out, in, 1}, in, generator));
      shortcut_bias = register_parameter("shortcut_bias", nn::uniform_init({out}, in, generator));
    }
  }
  /// condition: [B, cond], after its Mish.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& condition) const {
    const auto parts = film->forward(condition).unsqueeze(-1).chunk(2, 1);
    const at::Tensor y = second->forward(at::addcmul(parts[1], parts[0], first->forward(x)));
    return y + (shortcut_weight.defined() ? at::conv1d(x, shortcut_weight, shortcut_bias) : x);
  }
  std::shared_ptr<ConvBlock> first, second;
  std::shared_ptr<nn::Linear> film;
  at::Tensor shortcut_weight, shortcut_bias;
};

std::string DenoiserShape::fault() const {
  const auto between = [](std::int64_t v, std::int64_t low, std::int64_t high) {
    return v >= low && v <= high;
  };
  if (!between(observed, 1, 64)) return "observations in the condition must be 1 to 64";
  if (!between(observation, 1, 4096) || !between(action, 1, 4096))
    return "observations and actions must have 1 to 4096 numbers";
  if (!between(noise_steps, 1, 10000)) return "noise steps must be 1 to 10000";
  if (!between(step_code, 4, 1024) || step_code % 2 != 0) return "the step code must be even, 4 to 1024";
  if (dims.empty() || dims.size() > 6) return "there must be 1 to 6 levels";
  for (const std::int64_t dim : dims)
    if (!between(dim, kGroups, 4096) || dim % kGroups != 0)
      return "channels must be multiples of 8, at most 4096";
  if (!between(horizon, 1, 4096) || horizon % (std::int64_t{1} << (dims.size() - 1)) != 0)
    return "the horizon must be halved by every level but the last: a multiple of " +
           std::to_string(1 << (dims.size() - 1)) + ", at most 4096";
  return {};
}

void DenoiserShape::save(Archive& about) const {
  about.set("horizon", horizon);
  about.set("observed", observed);
  about.set("observation", observation);
  about.set("action", action);
  about.set("noise_steps", noise_steps);
  about.set("step_code", step_code);
  about.set("dims", dims);
}

DenoiserShape DenoiserShape::load(const Archive& about) {
  DenoiserShape s;
  s.horizon = about.get<std::int64_t>("horizon");
  s.observed = about.get<std::int64_t>("observed");
  s.observation = about.get<std::int64_t>("observation");
  s.action = about.get<std::int64_t>("action");
  s.noise_steps = about.get<std::int64_t>("noise_steps");
  s.step_code = about.get<std::int64_t>("step_code");
  s.dims = about.get<std::vector<std::int64_t>>("dims");
  if (const std::string wrong = s.fault(); !wrong.empty()) throw bad_data("model: " + wrong);
  return s;
}

namespace {

/// [N+1, size]: sin then cos of (k = row - 1) times exp(-j ln 1e4 / (size/2 - 1)).
at::Tensor sinusoids(std::int64_t noise_steps, std::int64_t size) {
  const std::int64_t half = size / 2;
  const at::Tensor frequency =
      torch::exp(torch::arange(half, at::kFloat) * (-std::log(1e4) / static_cast<double>(half - 1)));
  const at::Tensor angle = torch::arange(-1, noise_steps, at::kFloat).unsqueeze(1) * frequency;
  return torch::cat({angle.sin(), angle.cos()}, 1);
}

}  // namespace

/// Two FilmBlocks and what doubles or halves the length behind them.
class Level final : public torch::nn::Module {
 public:
  enum class Resample { kNone, kDown, kUp };
  Level(std::int64_t in, std::int64_t out, std::int64_t condition, Resample resample,
        const at::Generator& generator)
      : first(std::make_shared<FilmBlock>(in, out, condition, generator)),
        second(std::make_shared<FilmBlock>(out, out, condition, generator)),
        resample_(resample) {
    register_module("first", first);
    register_module("second", second);
    if (resample == Resample::kNone) return;
    const std::int64_t kernel = resample == Resample::kDown ? 3 : 4;
    weight_ =
        register_parameter("resample_weight", nn::uniform_init({out, out, kernel}, out * kernel, generator));
    bias_ = register_parameter("resample_bias", nn::uniform_init({out}, out * kernel, generator));
  }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& condition) const {
    return second->forward(first->forward(x, condition), condition);
  }
  at::Tensor resampled(const at::Tensor& x) const {
    if (resample_ == Resample::kDown) return at::conv1d(x, weight_, bias_, 2, 1);
    if (resample_ == Resample::kUp) return at::conv_transpose1d(x, weight_, bias_, 2, 1);
    return x;
  }

 private:
  std::shared_ptr<FilmBlock> first, second;
  Resample resample_;
  at::Tensor weight_, bias_;
};

Denoiser::Denoiser(const DenoiserShape& shape, const at::Generator& generator)
    : shape_(shape),
      codes_(sinusoids(shape.noise_steps, shape.step_code)),
      code1_(std::make_shared<nn::Linear>(shape.horizon * shape.step_code, 4 * shape.step_code, generator)),
      code2_(std::make_shared<nn::Linear>(4 * shape.step_code, shape.step_code, generator)) {
  register_module("step_encoder_1", code1_);
  register_module("step_encoder_2", code2_);
  const std::int64_t condition = shape.step_code + shape.observed * shape.observation;
  using Resample = Level::Resample;
  const std::size_t levels = shape.dims.size();
  const auto add = [&](const std::string& name, std::int64_t in, std::int64_t out, Resample resample) {
    return register_module(name, std::make_shared<Level>(in, out, condition, resample, generator));
  };
  std::int64_t channels = shape.action;
  for (std::size_t i = 0; i < levels; ++i) {
    down_.push_back(add("down_" + std::to_string(i), channels, shape.dims[i],
                        i + 1 < levels ? Resample::kDown : Resample::kNone));
    channels = shape.dims[i];
  }
  middle_ = add("middle", channels, channels, Resample::kNone);
  for (std::size_t i = levels; i-- > 1;) {
    up_.push_back(add("up_" + std::to_string(i), 2 * channels, shape.dims[i - 1], Resample::kUp));
    channels = shape.dims[i - 1];
  }
  final_ = register_module("final", std::make_shared<ConvBlock>(channels, channels, generator));
  out_weight_ =
      register_parameter("out_weight", nn::uniform_init({shape.action, channels, 1}, channels, generator));
  out_bias_ = register_parameter("out_bias", torch::zeros({shape.action}));
}

at::Tensor Denoiser::forward(const at::Tensor& x, const at::Tensor& steps,
                             const at::Tensor& observations) const {
  const at::Tensor codes = codes_.index_select(0, (steps + 1).reshape({-1})).view({x.size(0), -1});
  const at::Tensor code = code2_->forward(Mish::of(code1_->forward(codes)));
  const at::Tensor condition = Mish::of(torch::cat({code, observations}, 1));
  at::Tensor y = x.transpose(1, 2);
  std::vector<at::Tensor> skips;
  for (const auto& level : down_) {
    skips.push_back(level->forward(y, condition));
    y = level->resampled(skips.back());
  }
  y = middle_->forward(y, condition);
  for (const auto& level : up_) {
    // The deepest skip first; the first level's is never used.
    y = level->resampled(level->forward(torch::cat({y, skips.back()}, 1), condition));
    skips.pop_back();
  }
  return at::conv1d(final_->forward(y), out_weight_, out_bias_).transpose(1, 2);
}

}  // namespace stream::diffusion_policy
