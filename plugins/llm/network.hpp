/// The decoder as a trainable network on libtorch: the same shapes, names and mathematics as decoder.hpp.
#pragma once

#include "llm/model_file.hpp"
#include "nn/torch.hpp"

namespace stream::llm {

class Network final : public torch::nn::Module {
 public:
  /// Weights N(0, 0.5 / sqrt(fan-in)), o_proj and down_proj further divided by sqrt(2 layers), embeddings
  /// N(0, 1 / sqrt(hidden)), attention biases N(0, 0.02), norms 1. Throws Error(kBadRecipe) for a shape that
  /// cannot be.
  Network(const ModelConfig& config, const at::Generator& generator);
  explicit Network(const LanguageModel& model);

  const ModelConfig& config() const { return config_; }
  LanguageModel model() const;

  /// Logits [B, T, V] of tokens [B, T] (int64), causal, at positions 0 to T-1.
  at::Tensor forward(const at::Tensor& tokens) const;

  // --- the parts, for systems that change attention
  struct Qkv {
    at::Tensor q, k, v;  ///< [B, heads, T, d] and [B, kv_heads, T, d]; q and k turned to their positions
    at::Tensor raw_q;    ///< q before it was turned
  };
  /// [B, T, hidden]
  at::Tensor embed(const at::Tensor& tokens) const;
  /// Of the layer's normed input.
  Qkv qkv(std::int64_t layer, const at::Tensor& x) const;
  /// [B, heads, T, d]; `hidden` is true where query (row) does not see key (column): [T, T].
  at::Tensor attend(std::int64_t layer, const Qkv& parts, const at::Tensor& hidden) const;
  /// The layer's output from its input and attend's result: projection, residuals, feed-forward.
  at::Tensor rest(std::int64_t layer, const at::Tensor& x, const at::Tensor& attended) const;
  at::Tensor final_norm(const at::Tensor& x) const { return norm("norm", x); }
  at::Tensor head(const at::Tensor& normed) const;
  /// True above the diagonal.
  static at::Tensor causal(std::int64_t length);

 private:
  const at::Tensor& weight(const std::string& name) const { return weights_.at(name); }
  at::Tensor linear(const std::string& name, const at::Tensor& x) const;
  at::Tensor norm(const std::string& name, const at::Tensor& x) const;
  at::Tensor turned(const at::Tensor& x) const;
  void add(const WeightShape& shape, const at::Tensor& values);

  static at::Tensor angles(const ModelConfig& config);

  ModelConfig config_;
  at::Tensor turns_;                           ///< cosines and sines of every position
  std::map<std::string, at::Tensor> weights_;  ///< by the names of weight_shapes
};

}  // namespace stream::llm
