#include "llm/model_config.hpp"

#include <cmath>

#include "llm/positions.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

/// What is wrong with the parts of attention, one by one or together; or empty.
std::string attention_fault(const ModelConfig& c) {
  const bool added = c.position == Position::kAlibi || c.position == Position::kRelative;
  if (added && is_kernel(c.score))
    return std::string("position ") + name_of(c.position) + " is added to scores, and " + name_of(c.score) +
           " has none: its weights are products of two kernels";
  if (added && c.prefix > 0)
    return std::string("position ") + name_of(c.position) +
           " tells how far back a key lies, and in a prefix of " + std::to_string(c.prefix) +
           " tokens keys lie ahead";
  if (c.prefix > 0 && c.sliding_window > 0)
    return "a prefix of " + std::to_string(c.prefix) + " tokens that all see, and a window of " +
           std::to_string(c.sliding_window) + " that hides them: expected one of them to be 0";
  if (c.prefix > 0 && c.prefix >= c.context)
    return "a prefix of " + std::to_string(c.prefix) + " tokens leaves nothing of a context of " +
           std::to_string(c.context);
  if (c.bias_shared && c.attention_bias == AttentionBias::kNone)
    return "bias_shared needs an attention bias, and it is none";
  if (c.bias_value != BiasValue::kZero && c.attention_bias != AttentionBias::kKey)
    return std::string("a fixed value '") + name_of(c.bias_value) + "' is that of attention bias key, not " +
           name_of(c.attention_bias);
  if (!std::isfinite(c.bias_scale)) return "bias_scale is not finite";
  if (!std::isfinite(c.score_offset)) return "score_offset is not finite";
  return {};
}

}  // namespace

std::vector<float> ModelConfig::fixed_bias_value() const {
  const double all = bias_value == BiasValue::kUniform ? 1 / std::sqrt(static_cast<double>(head_dim)) : 0;
  std::vector<float> out(static_cast<std::size_t>(head_dim), static_cast<float>(bias_scale * all));
  if (bias_value == BiasValue::kFirst) out.front() = static_cast<float>(bias_scale);
  return out;
}

std::int64_t ModelConfig::rotary_dims() const {
  if (position != Position::kRope) return 0;
  return static_cast<std::int64_t>(std::floor(rope_fraction * static_cast<double>(head_dim) + 1e-9)) / 2 * 2;
}

std::int64_t ModelConfig::parameters() const {
  std::int64_t sum = 0;
  for (const WeightShape& w : weight_shapes(*this)) {
    std::int64_t size = 1;
    for (const std::int64_t d : w.shape) size *= d;
    sum += size;
  }
  return sum;
}

std::string ModelConfig::fault() const {
  const auto outside = [](std::int64_t v, std::int64_t low, std::int64_t high, const char* name) {
    return v >= low && v <= high ? std::string()
                                 : std::string(name) + " is " + std::to_string(v) + ", expected " +
                                       std::to_string(low) + " to " + std::to_string(high);
  };
  for (const std::string& wrong :
       {outside(vocabulary, 2, 4'000'000, "vocabulary"), outside(layers, 1, 1024, "layers"),
        outside(hidden, 1, 65'536, "hidden"), outside(heads, 1, 1024, "heads"),
        outside(kv_heads, 1, 1024, "kv_heads"), outside(head_dim, 2, 4096, "head_dim"),
        outside(ffn, 1, 1'048'576, "ffn"), outside(context, 1, std::int64_t{1} << 31, "context"),
        outside(sliding_window, 0, std::int64_t{1} << 31, "sliding_window"),
        outside(prefix, 0, std::int64_t{1} << 31, "prefix"),
        outside(begin_token, -1, vocabulary - 1, "begin_token")})
    if (!wrong.empty()) return wrong;
  if (heads % kv_heads != 0)
    return std::to_string(heads) + " heads cannot share " + std::to_string(kv_heads) + " key and value heads";
  if (!(norm_epsilon > 0 && norm_epsilon < 1)) return "norm_epsilon must lie between 0 and 1";
  if (position == Position::kRope) {
    if (!(rope_base > 1 && rope_base < 1e12)) return "rope_base must lie between 1 and 1e12";
    if (!(rope_fraction > 0 && rope_fraction <= 1)) return "rope_fraction must lie above 0 and be at most 1";
    if (rotary_dims() < 2) return "rope_fraction leaves nothing to rotate";
    if (!(rope_factor >= 1 && rope_factor < 1e6)) return "rope_factor must be 1 to 1e6";
    if (rope_scaling == RopeScaling::kLlama3 &&
        !(rope_low_frequency > 0 && rope_high_frequency > rope_low_frequency && rope_original_context > 0))
      return "llama3's rope scaling needs 0 < low_freq_factor < high_freq_factor and the original context";
  }
  if (norm_place == NormPlace::kPost && parallel_residual)
    return "norms behind the layers' parts (post) and a parallel residual exclude each other";
  if (std::string wrong = attention_fault(*this); !wrong.empty()) return wrong;
  for (const std::int64_t token : end_tokens)
    if (token < 0 || token >= vocabulary)
      return "end token " + std::to_string(token) + " is not in the vocabulary of " +
             std::to_string(vocabulary);
  return {};
}

void ModelConfig::save(Archive& g) const {
  g.set("family", family);
  g.set("vocabulary", vocabulary);
  g.set("layers", layers);
  g.set("hidden", hidden);
  g.set("heads", heads);
  g.set("kv_heads", kv_heads);
  g.set("head_dim", head_dim);
  g.set("ffn", ffn);
  g.set("context", context);
  g.set("norm", name_of(norm));
  g.set("norm_epsilon", norm_epsilon);
  g.set("position", name_of(position));
  g.set("rope_base", rope_base);
  g.set("rope_fraction", rope_fraction);
  g.set("rope_scaling", name_of(rope_scaling));
  g.set("rope_factor", rope_factor);
  g.set("rope_low_frequency", rope_low_frequency);
  g.set("rope_high_frequency", rope_high_frequency);
  g.set("rope_original_context", rope_original_context);
  g.set("sliding_window", sliding_window);
  g.set("activation", name_of(activation));
  g.set("gated", gated);
  g.set("parallel_residual", parallel_residual);
  g.set("qkv_bias", qkv_bias);
  g.set("output_bias", output_bias);
  g.set("ffn_bias", ffn_bias);
  g.set("tied_embeddings", tied_embeddings);
  g.set("score", name_of(score));
  g.set("score_offset", score_offset);
  g.set("attention_bias", name_of(attention_bias));
  g.set("begin_token", begin_token);
  g.set("end_tokens", end_tokens);
  // Switches that older files do not know are written where they are used: so a model's fingerprint, which
  // saved states belong to, stays what it was.
  if (norm_place != NormPlace::kPre) g.set("norm_place", name_of(norm_place));
  if (prefix != 0) g.set("prefix", prefix);
  if (bias_shared) g.set("bias_shared", bias_shared);
  if (bias_value != BiasValue::kZero) g.set("bias_value", name_of(bias_value));
  if (bias_scale != 1) g.set("bias_scale", bias_scale);
}

ModelConfig ModelConfig::load(const Archive& g) {
  ModelConfig c;
  c.family = g.get<std::string>("family");
  c.vocabulary = g.get<std::int64_t>("vocabulary");
  c.layers = g.get<std::int64_t>("layers");
  c.hidden = g.get<std::int64_t>("hidden");
  c.heads = g.get<std::int64_t>("heads");
  c.kv_heads = g.get<std::int64_t>("kv_heads");
  c.head_dim = g.get<std::int64_t>("head_dim");
  c.ffn = g.get<std::int64_t>("ffn");
  c.context = g.get<std::int64_t>("context");
  c.norm = norm_named(g.get<std::string>("norm"));
  c.norm_epsilon = g.get<double>("norm_epsilon");
  c.position = position_named(g.get<std::string>("position"));
  c.rope_base = g.get<double>("rope_base");
  c.rope_fraction = g.get<double>("rope_fraction");
  c.rope_scaling = rope_scaling_named(g.get<std::string>("rope_scaling"));
  c.rope_factor = g.get<double>("rope_factor");
  c.rope_low_frequency = g.get<double>("rope_low_frequency");
  c.rope_high_frequency = g.get<double>("rope_high_frequency");
  c.rope_original_context = g.get<std::int64_t>("rope_original_context");
  c.sliding_window = g.get<std::int64_t>("sliding_window");
  c.activation = activation_named(g.get<std::string>("activation"));
  c.gated = g.get<bool>("gated");
  c.parallel_residual = g.get<bool>("parallel_residual");
  c.qkv_bias = g.get<bool>("qkv_bias");
  c.output_bias = g.get<bool>("output_bias");
  c.ffn_bias = g.get<bool>("ffn_bias");
  c.tied_embeddings = g.get<bool>("tied_embeddings");
  c.score = score_named(g.get<std::string>("score"));
  c.score_offset = g.get<double>("score_offset");
  c.attention_bias = attention_bias_named(g.get<std::string>("attention_bias"));
  c.begin_token = g.get<std::int64_t>("begin_token");
  c.end_tokens = g.get<std::vector<std::int64_t>>("end_tokens");
  if (g.has("norm_place")) c.norm_place = norm_place_named(g.get<std::string>("norm_place"));
  if (g.has("prefix")) c.prefix = g.get<std::int64_t>("prefix");
  if (g.has("bias_shared")) c.bias_shared = g.get<bool>("bias_shared");
  if (g.has("bias_value")) c.bias_value = bias_value_named(g.get<std::string>("bias_value"));
  if (g.has("bias_scale")) c.bias_scale = g.get<double>("bias_scale");
  if (const std::string wrong = c.fault(); !wrong.empty()) throw bad_data("model: " + wrong);
  return c;
}

std::vector<WeightShape> weight_shapes(const ModelConfig& c) {
  std::vector<WeightShape> out;
  const auto vector = [&](const std::string& name, std::int64_t size) { out.push_back({name, {size}}); };
  const auto norm = [&](const std::string& name) {
    vector(name + ".weight", c.hidden);
    if (c.norm == Norm::kLayer) vector(name + ".bias", c.hidden);
  };
  const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t cols, bool bias) {
    out.push_back({name + ".weight", {rows, cols}});
    if (bias) vector(name + ".bias", rows);
  };
  linear("embed_tokens", c.vocabulary, c.hidden, false);
  if (c.position == Position::kLearned) linear("position_embedding", c.context, c.hidden, false);
  if (c.position == Position::kRelative) linear("relative_attention_bias", c.heads, kRelativeBuckets, false);
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    norm(layer + "input_layernorm");
    linear(layer + "self_attn.q_proj", c.query_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.k_proj", c.kv_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.v_proj", c.kv_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.o_proj", c.hidden, c.query_width(), c.output_bias);
    const std::int64_t biases = c.bias_shared ? 1 : c.kv_heads;
    if (has_key(c.attention_bias)) out.push_back({layer + "self_attn.key_bias", {biases, c.head_dim}});
    if (has_value(c.attention_bias)) out.push_back({layer + "self_attn.value_bias", {biases, c.head_dim}});
    if (operation_of(c.score).similarity == Similarity::kMlpKernel)
      for (const char* which : {"kernel_in", "kernel_out"})
        linear(layer + "self_attn." + which, c.head_dim, c.head_dim, false);
    norm(layer + "post_attention_layernorm");
    if (c.gated) linear(layer + "mlp.gate_proj", c.ffn, c.hidden, c.ffn_bias);
    linear(layer + "mlp.up_proj", c.ffn, c.hidden, c.ffn_bias);
    linear(layer + "mlp.down_proj", c.hidden, c.ffn, c.ffn_bias);
  }
  if (c.norm_place == NormPlace::kPre) norm("norm");
  if (!c.tied_embeddings) linear("lm_head", c.vocabulary, c.hidden, false);
  return out;
}

}  // namespace stream::llm
