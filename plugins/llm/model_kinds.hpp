/// What language models differ in, by name: the kinds of norm, position, feed-forward layer, attention and
/// attention bias. A kind is one line of a table in model_kinds.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stream::llm {

enum class Norm : std::uint8_t { kRms, kLayer };
/// kPre: x + f(norm(x)), and a norm behind the last layer. kPost: norm(x + f(x)), and none behind it.
enum class NormPlace : std::uint8_t { kPre, kPost };
/// kAlibi adds slope (key - query) to the scores (Press et al. 2022); kRelative a learnt number for each head
/// and bucket of the distance, of one table for all layers (T5, Raffel et al. 2020).
enum class Position : std::uint8_t { kRope, kNone, kAlibi, kLearned, kSinusoidal, kRelative };
enum class Activation : std::uint8_t { kSilu, kGelu, kGeluTanh, kRelu };
/// How inv_freq is changed for contexts longer than in training (Hugging Face's `rope_scaling`).
enum class RopeScaling : std::uint8_t { kNone, kLinear, kLlama3 };

/// How queries and keys become weights of values (Gu et al. 2025, section 7):
///
///     out_i = Z_i^-1 sum over j <= i of sim(q_i, k_j) v_j
enum class Score : std::uint8_t {
  kSoftmax,
  kSoftmaxOne,  ///< with an ever-present key of score 0 and value 0 (the "zero sink")
  kSigmoid,
  kSigmoidNormalised,
  kElu,
  kEluNormalised,
  kEluKernel,
  kEluKernelNormalised,
  kIdentityKernel,
  kIdentityKernelNormalised,
  kMlpKernel,
  kMlpKernelNormalised,
};
/// sim(q, k), with s = q.k / sqrt(d): exp(s), sigmoid(s - score_offset), elu(s) + 1, and for the kernels
/// phi(q).phi(k) / sqrt(d), phi taken of heads that have been turned to their positions: elu(x) + 1, x, or
/// W2 relu(W1 x) with matrices [d, d] that the heads of a layer share, no biases.
enum class Similarity : std::uint8_t { kExp, kSigmoid, kElu, kEluKernel, kIdentityKernel, kMlpKernel };
/// Z: the sum over j (plus 1e-8 but for exp), the sum and one, 1, or max(|sum|, 1) for kernels of either
/// sign.
enum class Normaliser : std::uint8_t { kSum, kSumAndOne, kNone, kSumAboveOne };
struct AttentionOperation {
  Similarity similarity;
  Normaliser normaliser;
};
AttentionOperation operation_of(Score score);
/// phi(q).phi(k): a hidden key weighs 0, and nothing can be added to a score before it becomes a weight.
bool is_kernel(Score score);
/// Weights may be negative.
bool is_signed(Score score);
/// Rows of weights sum to 1 (with the ever-present key's): no proxy is needed to call them shares.
bool sums_to_one(Score score);

/// Of each head, and of no token or position (Gu et al. 2025, section 7). kKey: a trained key whose value is
/// fixed, kKeyValue: a trained key and value, kValue: a trained vector that is added to the head's output.
enum class AttentionBias : std::uint8_t { kNone, kKey, kKeyValue, kValue };
inline bool has_key(AttentionBias bias) {
  return bias == AttentionBias::kKey || bias == AttentionBias::kKeyValue;
}
inline bool has_value(AttentionBias bias) {
  return bias == AttentionBias::kKeyValue || bias == AttentionBias::kValue;
}
/// The fixed value of kKey, times `bias_scale`: 0, e_1, or 1 / sqrt(d) everywhere.
enum class BiasValue : std::uint8_t { kZero, kFirst, kUniform };

/// A feed-forward layer by the name that papers give it: "swiglu" is a gate under silu.
struct FeedForward {
  const char* name;
  Activation activation;
  bool gated;
};
/// Throws Error(kBadData) with the nearest name.
const FeedForward& feed_forward_named(const std::string& name);

const char* name_of(Norm norm);              ///< "rms" or "layer"
const char* name_of(NormPlace place);        ///< "pre" or "post"
const char* name_of(Position position);      ///< "rope", "none", "alibi", "learned", "sinusoidal", "relative"
const char* name_of(Activation activation);  ///< "silu", "gelu", "gelu_tanh" or "relu"
const char* name_of(RopeScaling scaling);    ///< "none", "linear" or "llama3"
const char* name_of(Score score);            ///< "softmax", "sigmoid_normalised", "mlp_kernel" ...
const char* name_of(AttentionBias bias);     ///< "none", "key", "key_value" or "value"
const char* name_of(BiasValue value);        ///< "zero", "first" or "uniform"
Norm norm_named(const std::string& name);    ///< the inverses throw Error(kBadData) with the nearest name
NormPlace norm_place_named(const std::string& name);
Position position_named(const std::string& name);
Activation activation_named(const std::string& name);
RopeScaling rope_scaling_named(const std::string& name);
Score score_named(const std::string& name);
AttentionBias attention_bias_named(const std::string& name);
BiasValue bias_value_named(const std::string& name);

/// All names, for declaring parameters.
std::vector<std::string> norm_place_names();
std::vector<std::string> position_names();
std::vector<std::string> feed_forward_names();
std::vector<std::string> score_names();
std::vector<std::string> attention_bias_names();
std::vector<std::string> bias_value_names();

}  // namespace stream::llm
