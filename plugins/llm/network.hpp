/// The decoder as a trainable network on libtorch: the same shapes, names and mathematics as decoder.hpp.
#pragma once

#include "llm/model_file.hpp"
#include "nn/torch.hpp"

namespace stream::llm {

class Network final : public torch::nn::Module {
 public:
  /// Weights N(0, 0.5 / sqrt(fan-in)), o_proj and down_proj further divided by sqrt(2 layers), embeddings
  /// N(0, 1 / sqrt(hidden)) (those of positions too), attention biases and those of relative positions
  /// N(0, 0.02), norms 1. Throws Error(kBadRecipe) for a shape that
  /// cannot be.
  Network(const ModelConfig& config, const at::Generator& generator);
  explicit Network(const LanguageModel& model);

  const ModelConfig& config() const { return config_; }
  LanguageModel model() const;

  /// Logits [B, T, V] of tokens [B, T] (int64) at positions 0 to T-1, each of which sees what `unseen`
  /// leaves.
  at::Tensor forward(const at::Tensor& tokens) const;

  // --- the parts, for systems that change attention
  struct Qkv {
    at::Tensor q, k, v;  ///< [B, heads, T, d] and [B, kv_heads, T, d]; q and k turned to their positions
    at::Tensor raw_q;    ///< q before it was turned
  };
  /// [B, T, hidden], at positions 0 to T-1.
  at::Tensor embed(const at::Tensor& tokens) const;
  /// Of the layer's input.
  Qkv qkv(std::int64_t layer, const at::Tensor& x) const;
  /// [B, heads, T, d]; `hidden` is true where query (row) does not see key (column): [T, T].
  at::Tensor attend(std::int64_t layer, const Qkv& parts, const at::Tensor& hidden) const;
  /// The layer's output from its input and attend's result: projection, residuals, feed-forward.
  at::Tensor rest(std::int64_t layer, const at::Tensor& x, const at::Tensor& attended) const;
  at::Tensor final_norm(const at::Tensor& x) const {
    return config_.norm_place == NormPlace::kPre ? norm("norm", x) : x;
  }
  at::Tensor head(const at::Tensor& normed) const;
  /// True above the diagonal.
  static at::Tensor causal(std::int64_t length);
  /// True where a query does not see a key, of a sequence of this length: above the diagonal but for the keys
  /// of the prefix, and beyond the window.
  at::Tensor unseen(std::int64_t length) const;

 private:
  const at::Tensor& weight(const std::string& name) const { return weights_.at(name); }
  at::Tensor linear(const std::string& name, const at::Tensor& x) const;
  at::Tensor norm(const std::string& name, const at::Tensor& x) const;
  at::Tensor turned(const at::Tensor& x) const;
  /// A bias [1 or kv_heads, d] of the layer for every query head: [1, heads, 1, d].
  at::Tensor bias_of_heads(const std::string& name) const;
  /// phi of heads [B, heads, T, d] under a kernel; themselves under other scores.
  at::Tensor featured(std::int64_t layer, const at::Tensor& heads) const;
  /// What positions add to scores: [heads, T, T].
  at::Tensor added(std::int64_t length) const;
  /// [B, heads, T, slots] of scores of the same shape, in which hidden ones have been filled.
  at::Tensor weights_of(const at::Tensor& scores) const;
  void add(const WeightShape& shape, const at::Tensor& values);

  ModelConfig config_;
  at::Tensor positions_;                       ///< what is fixed of positions: see network.cpp
  std::map<std::string, at::Tensor> weights_;  ///< by the names of weight_shapes
};

}  // namespace stream::llm
