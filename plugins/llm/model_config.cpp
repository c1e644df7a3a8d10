#include "llm/model_config.hpp"

#include <array>
#include <cmath>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::array kNorms{"rms", "layer"};
constexpr std::array kPositions{"rope", "none", "alibi", "learned", "sinusoidal"};
constexpr std::array kActivations{"silu", "gelu", "gelu_tanh", "relu"};
constexpr std::array kScalings{"none", "linear", "llama3"};
constexpr std::array kScores{"softmax", "softmax_one", "sigmoid", "sigmoid_normalised"};
constexpr std::array kBiases{"none", "key", "key_value"};

template <typename E, std::size_t N>
E named(const std::array<const char*, N>& names, const std::string& name, const char* what) {
  for (std::size_t i = 0; i < N; ++i)
    if (name == names[i]) return static_cast<E>(i);
  std::string known;
  for (const char* n : names) known += (known.empty() ? "" : ", ") + std::string(n);
  throw bad_data(std::string("unknown ") + what + " '" + name + "', expected one of " + known +
                 did_you_mean(name, {names.begin(), names.end()}));
}

template <typename E, std::size_t N>
const char* text(const std::array<const char*, N>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

const char* name_of(Norm v) { return text(kNorms, v); }
const char* name_of(Position v) { return text(kPositions, v); }
const char* name_of(Activation v) { return text(kActivations, v); }
const char* name_of(RopeScaling v) { return text(kScalings, v); }
const char* name_of(Score v) { return text(kScores, v); }
const char* name_of(AttentionBias v) { return text(kBiases, v); }
Norm norm_named(const std::string& n) { return named<Norm>(kNorms, n, "norm"); }
Position position_named(const std::string& n) { return named<Position>(kPositions, n, "position"); }
Activation activation_named(const std::string& n) { return named<Activation>(kActivations, n, "activation"); }
RopeScaling rope_scaling_named(const std::string& n) {
  return named<RopeScaling>(kScalings, n, "rope scaling");
}
Score score_named(const std::string& n) { return named<Score>(kScores, n, "score"); }
AttentionBias attention_bias_named(const std::string& n) {
  return named<AttentionBias>(kBiases, n, "attention bias");
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
  if (!std::isfinite(score_offset)) return "score_offset is not finite";
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
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    norm(layer + "input_layernorm");
    linear(layer + "self_attn.q_proj", c.query_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.k_proj", c.kv_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.v_proj", c.kv_width(), c.hidden, c.qkv_bias);
    linear(layer + "self_attn.o_proj", c.hidden, c.query_width(), c.output_bias);
    if (c.attention_bias != AttentionBias::kNone)
      out.push_back({layer + "self_attn.key_bias", {c.kv_heads, c.head_dim}});
    if (c.attention_bias == AttentionBias::kKeyValue)
      out.push_back({layer + "self_attn.value_bias", {c.kv_heads, c.head_dim}});
    norm(layer + "post_attention_layernorm");
    if (c.gated) linear(layer + "mlp.gate_proj", c.ffn, c.hidden, c.ffn_bias);
    linear(layer + "mlp.up_proj", c.ffn, c.hidden, c.ffn_bias);
    linear(layer + "mlp.down_proj", c.hidden, c.ffn, c.ffn_bias);
  }
  norm("norm");
  if (!c.tied_embeddings) linear("lm_head", c.vocabulary, c.hidden, false);
  return out;
}

}  // namespace stream::llm
