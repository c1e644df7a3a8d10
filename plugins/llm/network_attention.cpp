/// The attention of the trainable network: Gu et al. 2025, section 7 (arXiv 2410.10781).
#include "llm/network.hpp"
#include "llm/positions.hpp"

namespace stream::llm {
namespace {

std::string attention_of(std::int64_t layer) { return "layers." + std::to_string(layer) + ".self_attn."; }

}  // namespace

Network::Qkv Network::qkv(std::int64_t layer, const at::Tensor& x) const {
  const std::string name = "layers." + std::to_string(layer) + ".";
  const at::Tensor y = config_.norm_place == NormPlace::kPre ? norm(name + "input_layernorm", x) : x;
  const auto heads = [&](const char* which, std::int64_t n) {
    return linear(name + "self_attn." + which, y)
        .view({x.size(0), x.size(1), n, config_.head_dim})
        .transpose(1, 2);
  };
  const at::Tensor q = heads("q_proj", config_.heads);
  return {turned(q), turned(heads("k_proj", config_.kv_heads)), heads("v_proj", config_.kv_heads), q};
}

at::Tensor Network::featured(std::int64_t layer, const at::Tensor& heads) const {
  switch (operation_of(config_.score).similarity) {
    case Similarity::kEluKernel:
      return at::elu(heads) + 1;
    case Similarity::kMlpKernel: {
      const std::string name = attention_of(layer);
      return at::linear(at::relu(at::linear(heads, weight(name + "kernel_in.weight"))),
                        weight(name + "kernel_out.weight"));
    }
    default:
      return heads;
  }
}

at::Tensor Network::bias_of_heads(const std::string& name) const {
  const at::Tensor& bias = weight(name);
  return bias.repeat_interleave(config_.heads / bias.size(0), 0)
      .view({1, config_.heads, 1, config_.head_dim});
}

at::Tensor Network::added(std::int64_t length) const {
  const at::Tensor places = at::arange(length, at::kLong);
  const at::Tensor behind = places.unsqueeze(1) - places.unsqueeze(0);  // [query, key]
  if (config_.position == Position::kAlibi)
    return positions_.view({-1, 1, 1}) * behind.neg().to(at::kFloat).unsqueeze(0);
  std::vector<std::int64_t> buckets;
  for (std::int64_t distance = 0; distance < length; ++distance) buckets.push_back(relative_bucket(distance));
  const at::Tensor bucket = torch::tensor(buckets).index_select(0, behind.clamp_min(0).view(-1));
  return weight("relative_attention_bias.weight").index_select(1, bucket).view({-1, length, length});
}

at::Tensor Network::weights_of(const at::Tensor& scores) const {
  const auto [similarity, normaliser] = operation_of(config_.score);
  at::Tensor weights = scores;
  switch (similarity) {
    case Similarity::kExp: {
      if (normaliser != Normaliser::kSumAndOne) return at::softmax(scores, 3);
      const at::Tensor one = torch::zeros({scores.size(0), scores.size(1), scores.size(2), 1});
      return at::softmax(at::cat({scores, one}, 3), 3).narrow(3, 0, scores.size(3));
    }
    case Similarity::kSigmoid:
      weights = at::sigmoid(scores - config_.score_offset);
      break;
    case Similarity::kElu:
      weights = at::elu(scores) + 1;
      break;
    default:
      break;
  }
  switch (normaliser) {
    case Normaliser::kSum:
      return weights / (weights.sum(3, true) + 1e-8);
    case Normaliser::kSumAboveOne:
      return weights / weights.sum(3, true).abs().clamp_min(1);
    default:
      return weights;
  }
}

at::Tensor Network::attend(std::int64_t layer, const Qkv& parts, const at::Tensor& hidden) const {
  const std::int64_t group = config_.heads / config_.kv_heads;
  const auto shared = [&](const at::Tensor& t) { return group == 1 ? t : t.repeat_interleave(group, 1); };
  const std::string name = attention_of(layer);
  const double scale = 1 / std::sqrt(static_cast<double>(config_.head_dim));
  at::Tensor values = shared(parts.v);
  at::Tensor scores =
      at::matmul(featured(layer, parts.q), featured(layer, shared(parts.k)).transpose(2, 3)) * scale;
  if (config_.position == Position::kAlibi || config_.position == Position::kRelative)
    scores = scores + added(scores.size(3));
  // What is hidden weighs 0 whatever it scores: kernels are multiplied by 0, the others' scores sink.
  const Similarity similarity = operation_of(config_.score).similarity;
  scores = scores.masked_fill(hidden, is_kernel(config_.score)             ? 0.0
                                      : similarity == Similarity::kSigmoid ? -1e4
                                                                           : -1e30);
  if (has_key(config_.attention_bias)) {
    const at::Tensor key = featured(layer, bias_of_heads(name + "key_bias")).transpose(2, 3);
    scores = at::cat({scores, at::matmul(featured(layer, parts.raw_q), key) * scale}, 3);
    const at::Tensor value =
        has_value(config_.attention_bias)
            ? bias_of_heads(name + "value_bias")
            : torch::tensor(config_.fixed_bias_value()).view({1, 1, 1, -1}).expand({1, config_.heads, 1, -1});
    values = at::cat({values, value.expand({values.size(0), -1, -1, -1})}, 2);
  }
  const at::Tensor out = at::matmul(weights_of(scores), values);
  return config_.attention_bias == AttentionBias::kValue ? out + bias_of_heads(name + "value_bias") : out;
}

}  // namespace stream::llm
