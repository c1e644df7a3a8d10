/// The shape of a decoder-only transformer: what Llama, Mistral, Qwen2, GPT-NeoX and GPT-2 differ
/// in are switches.
///
/// A block is norm -> attention -> residual, norm -> feed-forward -> residual; with `parallel_residual` both
/// norms read the block's input (GPT-NeoX). Queries and keys are rotated by RoPE in its "rotate half" form.
/// The other switches are those that Gu et al. 2025 (arXiv 2410.10781) study.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llm/model_kinds.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

struct ModelConfig {
  std::string family =
      "llama";  ///< where it comes from ("llama", "mistral", "qwen2", "gpt_neox"): for people only
  std::int64_t vocabulary = 0;  ///< rows of the embedding
  std::int64_t layers = 0;
  std::int64_t hidden = 0;    ///< width of the residual stream
  std::int64_t heads = 0;     ///< query heads
  std::int64_t kv_heads = 0;  ///< key and value heads; divides `heads`
  std::int64_t head_dim = 0;  ///< width of one head; need not be hidden / heads
  std::int64_t ffn = 0;       ///< width of the feed-forward layer
  std::int64_t context = 0;   ///< tokens in a training sample: positions beyond were never seen

  Norm norm = Norm::kRms;
  NormPlace norm_place = NormPlace::kPre;
  double norm_epsilon = 1e-5;
  Position position = Position::kRope;
  double rope_base = 10000;
  double rope_fraction = 1;  ///< of head_dim that is rotated, from the front (Pythia: 0.25)
  RopeScaling rope_scaling = RopeScaling::kNone;
  double rope_factor = 1;                                  ///< kLinear, kLlama3
  double rope_low_frequency = 1, rope_high_frequency = 4;  ///< kLlama3
  std::int64_t rope_original_context = 0;                  ///< kLlama3
  std::int64_t sliding_window =
      0;  ///< Mistral: a query sees the last so many tokens, itself included; 0: all
  /// Of a prefix language model: the first so many tokens of a sequence see each other whichever comes first.
  std::int64_t prefix = 0;

  Activation activation = Activation::kSilu;
  bool gated = true;  ///< act(gate(x)) * up(x), else act(up(x))
  bool parallel_residual = false;
  bool qkv_bias = false, output_bias = false, ffn_bias = false;
  bool tied_embeddings = false;  ///< the logits come from the embedding matrix; there is no lm_head
  Score score = Score::kSoftmax;
  double score_offset = 0;  ///< subtracted from scores under the sigmoids
  AttentionBias attention_bias = AttentionBias::kNone;
  bool bias_shared = false;                 ///< one key or value for all heads of a layer
  BiasValue bias_value = BiasValue::kZero;  ///< kKey
  double bias_scale = 1;                    ///< kKey: of bias_value

  std::int64_t begin_token = -1;         ///< put in front of a stream; -1: none
  std::vector<std::int64_t> end_tokens;  ///< any of them ends an answer

  /// Rotated numbers of a head: an even count.
  std::int64_t rotary_dims() const;
  std::int64_t query_width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
  /// Moving a query and a key by as many places does not change their score.
  bool scores_by_distance() const {
    return position != Position::kRope || !is_kernel(score) ||
           operation_of(score).similarity == Similarity::kIdentityKernel;
  }
  /// The value of a key bias that has none of its own: [head_dim].
  std::vector<float> fixed_bias_value() const;
  /// Numbers in all weights.
  std::int64_t parameters() const;
  /// What is wrong with it, or empty.
  std::string fault() const;

  void save(Archive& group) const;
  /// Throws Error(kBadData) that names the member.
  static ModelConfig load(const Archive& group);
};

/// One weight that a model of this shape has.
struct WeightShape {
  std::string name;                 ///< "layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape;  ///< [out, in] of a matrix, [n] of a vector
};
/// All weights, in order. Names are those of Llama in Hugging Face's files without "model." in front; the
/// GPT-NeoX layout uses the same ones (up_proj for dense_h_to_4h, down_proj for dense_4h_to_h, o_proj for
/// attention.dense, q/k/v_proj for the parts of query_key_value):
///
///     embed_tokens.weight [V, h]           position_embedding.weight [context, h] (kLearned)
///     relative_attention_bias.weight [heads, 32] (kRelative)
///     layers.N.input_layernorm.weight [h]  layers.N.post_attention_layernorm.weight [h]
///     layers.N.self_attn.{q,k,v,o}_proj.weight, .bias (where the switches say so)
///     layers.N.self_attn.key_bias, value_bias [kv_heads, head_dim], or [1, head_dim] with bias_shared
///     layers.N.self_attn.kernel_{in,out}.weight [head_dim, head_dim] (W1 and W2 of kMlpKernel)
///     layers.N.mlp.{gate,up,down}_proj.weight, .bias
///     norm.weight [h] (kPre)  lm_head.weight [V, h]; and .bias of every norm that is a layer norm
std::vector<WeightShape> weight_shapes(const ModelConfig& config);

}  // namespace stream::llm
