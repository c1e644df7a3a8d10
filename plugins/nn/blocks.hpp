/// Layers that several systems share. Parameters are plain tensors; forwards are as few operations as
/// libtorch allows, because at batch 1 the calls are the cost.
#pragma once

#include "nn/torch.hpp"

namespace stream::nn {

/// y = x W^T + b over the last axis.
class Linear : public torch::nn::Module {
 public:
  Linear(std::int64_t in, std::int64_t out, const at::Generator& generator, bool bias = true);
  at::Tensor forward(const at::Tensor& x) const { return at::linear(x, weight, bias); }
  at::Tensor weight, bias;
};

/// Over the last axis, with scale and shift.
class LayerNorm : public torch::nn::Module {
 public:
  explicit LayerNorm(std::int64_t features);
  at::Tensor forward(const at::Tensor& x) const { return at::layer_norm(x, {weight.size(0)}, weight, bias); }
  at::Tensor weight, bias;
};

/// Depthwise convolution over time that looks only back: kernel k sees t-k+1 ... t.
class CausalDepthwiseConv1d : public torch::nn::Module {
 public:
  CausalDepthwiseConv1d(std::int64_t channels, std::int64_t kernel, const at::Generator& generator);
  /// x: [B, k-1+T, d], the first k-1 frames being history (zeros at the start of a stream). Returns [B, T,
  /// d].
  at::Tensor forward(const at::Tensor& x) const;
  std::int64_t kernel() const { return weight.size(1); }
  at::Tensor weight, bias;  ///< [d, k], [d]
};

/// Uniform in +-1/sqrt(fan_in), drawn from `generator`.
at::Tensor uniform_init(at::IntArrayRef shape, std::int64_t fan_in, const at::Generator& generator);

}  // namespace stream::nn
