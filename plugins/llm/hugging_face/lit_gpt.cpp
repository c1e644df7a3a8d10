#include "llm/hugging_face/lit_gpt.hpp"

#include "llm/hugging_face/config_members.hpp"

namespace stream::llm {
namespace {

std::int64_t padded_vocabulary(const Object& file) {
  if (optional_member(file, "padded_vocab_size") != nullptr) return integer(file, "padded_vocab_size");
  const std::int64_t words = integer(file, "vocab_size"),
                     multiple = integer_or(file, "padding_multiple", 512);
  if (words < 1 || words > INT32_MAX || multiple < 1 || multiple > INT32_MAX)
    throw bad_data("'vocab_size' " + std::to_string(words) + " cannot be padded to a multiple of " +
                   std::to_string(multiple));
  return (words + multiple - 1) / multiple * multiple;
}

void read_feed_forward(const Object& file, ModelConfig& model) {
  struct Kind {
    const char* name;
    Activation activation;
    bool gated;
  };
  static constexpr Kind kKinds[] = {
      {"GptNeoxMLP", Activation::kGelu, false}, {"LLaMAMLP", Activation::kSilu, true},
      {"ReluMLP", Activation::kRelu, false},    {"SwishMLP", Activation::kSilu, false},
      {"GeluMLP", Activation::kGelu, false},    {"GegluMLP", Activation::kGelu, true},
      {"RegluMLP", Activation::kRelu, true}};
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  const Kind& kind = kKinds[choice("_mlp_class", text_or(file, "_mlp_class", "GptNeoxMLP"), names)];
  model.activation = kind.activation;
  if (kind.activation == Activation::kGelu &&
      choice("gelu_approximate", text_or(file, "gelu_approximate", "none"), {"none", "tanh"}) == 1)
    model.activation = Activation::kGeluTanh;
  model.gated = kind.gated;
  if (kind.gated || optional_member(file, "intermediate_size") != nullptr)
    model.ffn = integer(file, "intermediate_size");
  else
    model.ffn = 4 * std::min<std::int64_t>(model.hidden, INT32_MAX);
}

/// What changes a model's mathematics, and is not done here.
void refuse_others(const Object& file) {
  for (const auto& [name, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"shared_attention_norm", "one norm for attention and feed-forward layer"},
           {"lm_head_bias", "a bias of the output layer"},
           {"scale_embeddings", "embeddings that are scaled"},
           {"k_bias", "a key of the bias that meets queries turned to their positions"}})
    if (flag_or(file, name, false))
      throw bad_data(std::string("'") + name + "' (" + what + ") is not supported");
  if (!flag_or(file, "attention_normalize", true))
    throw bad_data("'attention_normalize' false (attention without softmax) is not supported");
  for (const auto& [name, none] : std::initializer_list<std::pair<const char*, std::int64_t>>{
           {"prefix_token", 0}, {"window_size", -1}, {"n_expert", 0}})
    if (const std::int64_t value = integer_or(file, name, none); value != none)
      throw bad_data(std::string("'") + name + "' " + std::to_string(value) + " is not supported, expected " +
                     std::to_string(none));
}

}  // namespace

ForeignConfig read_lit_gpt_config(const Object& file) {
  refuse_others(file);
  ForeignConfig out;
  out.layout = Layout::kLitGpt;
  ModelConfig& model = out.model;
  model.family = "lit_gpt";
  model.vocabulary = padded_vocabulary(file);
  model.context = integer(file, "block_size");
  model.layers = integer(file, "n_layer");
  model.heads = integer(file, "n_head");
  model.kv_heads = integer_or(file, "n_query_groups", model.heads);
  model.hidden = integer(file, "n_embd");
  if (model.heads < 1 || model.hidden < 1 || model.hidden % model.heads != 0)
    throw bad_data("'n_embd' " + std::to_string(model.hidden) + " is not a multiple of 'n_head' " +
                   std::to_string(model.heads));
  model.head_dim = integer_or(file, "head_size", model.hidden / model.heads);
  read_feed_forward(file, model);
  model.norm = choice("_norm_class", text_or(file, "_norm_class", "LayerNorm"),
                      {"LayerNorm", "RMSNorm", "FusedRMSNorm"}) == 0
                   ? Norm::kLayer
                   : Norm::kRms;
  model.norm_epsilon = number_or(file, "norm_eps", 1e-5);
  model.parallel_residual = flag_or(file, "parallel_residual", true);
  const bool bias = flag_or(file, "bias", true);
  model.qkv_bias = model.output_bias = model.ffn_bias = bias;
  model.position =
      choice("positional_embedding", text_or(file, "positional_embedding", "rotary"), {"rotary", "nope"}) == 0
          ? Position::kRope
          : Position::kNone;
  model.rope_base = number_or(file, "rope_base", 10000);
  model.rope_fraction = number_or(file, "rotary_percentage", 0.25);
  // Positions divided by a number, for contexts that are longer than those first trained with.
  model.rope_factor = number_or(file, "rope_condense_ratio", number_or(file, "condense_ratio", 1));
  if (model.rope_factor != 1) model.rope_scaling = RopeScaling::kLinear;
  if (flag_or(file, "v_bias", false)) {
    model.attention_bias = AttentionBias::kValue;
    model.bias_shared = !flag_or(file, "head_bias", false);
    if (!model.bias_shared && model.kv_heads != model.heads)
      throw bad_data("'head_bias' with fewer 'n_query_groups' than 'n_head' is not supported");
  }
  if (const std::string wrong = model.fault(); !wrong.empty()) throw bad_data(wrong);
  return out;
}

}  // namespace stream::llm
