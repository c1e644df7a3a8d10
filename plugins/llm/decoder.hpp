/// A decoder-only transformer for inference, without libtorch. Immutable: sequences (session.hpp) share it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/attention.hpp"
#include "llm/matrix.hpp"
#include "llm/model_file.hpp"
#include "llm/rope.hpp"

namespace stream::llm {

/// What a pass needs beside the weights: buffers that one sequence (or several, in turn) uses again and
/// again.
struct Workspace {
  Workspace(const ModelConfig& config, const Rope& rope, const AttentionWeights* weights)
      : attention(config, rope, weights) {}
  Attention attention;
  std::vector<float> normed, queries, keys, values, attended, projected, gate, up;
  Matrix::Scratch scratch;
  std::vector<Segment> segments;
  /// Looks at the hidden states [tokens, hidden] behind each layer.
  std::function<void(std::int64_t layer, std::span<const float> x)> layer_tap;
};

class Decoder {
 public:
  /// Throws Error(kBadData) when weights do not fit the config.
  /// Tensors are let go as they are copied: who moves a model in needs no room for it twice.
  explicit Decoder(LanguageModel model, WeightType type = WeightType::kStored);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const ModelConfig& config() const { return config_; }
  const Rope& rope() const { return rope_; }
  /// Digest of config and weights.
  const std::string& fingerprint() const { return fingerprint_; }
  /// Bytes of weights that decoding one token reads (of the embedding only a row).
  std::size_t bytes_per_token() const;
  Workspace workspace() const { return {config_, rope_, &attention_weights_}; }

  /// x [tokens, hidden]: embeddings of tokens, the first of which stands at `position`. Throws
  /// Error(kBadData) for a token that is not in the vocabulary, or a position that the model has no embedding
  /// for.
  void embed(std::span<const std::int32_t> tokens, std::int64_t position, float* x) const;
  /// One block through all layers; x [tokens, hidden] becomes the output of the final norm. `admit` came
  /// before it; `commit` is called here.
  void run(float* x, std::int64_t tokens, Memory& memory, Workspace& work) const;
  /// out [tokens, vocabulary] of x [tokens, hidden] as `run` left it.
  void logits(const float* x, std::int64_t tokens, float* out, Workspace& work) const;

 private:
  struct NormWeights {
    std::vector<float> weight, bias;
  };
  struct Layer {
    NormWeights of_attention, of_ffn;  ///< in front of them, or behind
    Matrix q, k, v, o, gate, up, down;
    std::vector<float> key_bias, value_bias;  ///< [kv_heads, head_dim], or empty
  };
  void norm(const NormWeights& weights, const float* x, float* y, std::int64_t tokens) const;
  void attention(const Layer& layer, std::int64_t index, const float* normed, std::int64_t tokens,
                 Memory& memory, Workspace& work) const;
  /// One layer of x [tokens, hidden].
  void layer(std::int64_t index, float* x, std::int64_t tokens, Memory& memory, Workspace& work) const;
  void feed_forward(const Layer& layer, const float* normed, std::int64_t tokens, Workspace& work) const;

  ModelConfig config_;
  Rope rope_;
  std::string fingerprint_;
  Matrix embedding_, position_embedding_;
  std::vector<Layer> layers_;
  AttentionWeights attention_weights_;
  NormWeights final_norm_;
  Matrix head_;
};

/// log(sum of exp) of n logits.
double log_sum_exp(std::span<const float> logits);
/// Surprisal (nats) of a token under logits.
double surprisal(std::span<const float> logits, std::int32_t token);

}  // namespace stream::llm
