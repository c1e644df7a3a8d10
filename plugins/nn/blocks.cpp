#include "nn/blocks.hpp"

namespace stream::nn {

at::Tensor uniform_init(at::IntArrayRef shape, std::int64_t fan_in, const at::Generator& generator) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  return torch::empty(shape).uniform_(-bound, bound, generator);
}

Linear::Linear(std::int64_t in, std::int64_t out, const at::Generator& generator, bool with_bias)
    : weight(register_parameter("weight", uniform_init({out, in}, in, generator))) {
  if (with_bias) bias = register_parameter("bias", torch::zeros({out}));
}

LayerNorm::LayerNorm(std::int64_t features)
    : weight(register_parameter("weight", torch::ones({features}))),
      bias(register_parameter("bias", torch::zeros({features}))) {}

CausalDepthwiseConv1d::CausalDepthwiseConv1d(std::int64_t channels, std::int64_t kernel,
                                             const at::Generator& generator)
    : weight(register_parameter("weight", uniform_init({channels, kernel}, kernel, generator))),
      bias(register_parameter("bias", torch::zeros({channels}))) {}

at::Tensor CausalDepthwiseConv1d::forward(const at::Tensor& x) const {
  // A product with windows of the same memory, summed: conv1d with groups spends more on its set-up than on
  // these sizes.
  return x.unfold(1, kernel(), 1).mul(weight).sum(-1).add_(bias);
}

}  // namespace stream::nn
