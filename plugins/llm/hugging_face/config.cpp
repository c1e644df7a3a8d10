#include "llm/hugging_face/config.hpp"

#include <algorithm>

#include "llm/hugging_face/config_members.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

struct Family {
  const char* architecture;
  const char* model_type;
  Layout layout;
};
constexpr Family kFamilies[] = {
    {"LlamaForCausalLM", "llama", Layout::kLlama}, {"MistralForCausalLM", "mistral", Layout::kLlama},
    {"Qwen2ForCausalLM", "qwen2", Layout::kLlama}, {"GPTNeoXForCausalLM", "gpt_neox", Layout::kGptNeoX},
    {"GPT2LMHeadModel", "gpt2", Layout::kGpt2},    {"OPTForCausalLM", "opt", Layout::kOpt}};

/// By "architectures", or "model_type" in a config that names none.
const Family& family_of(const Object& file) {
  const Value* architectures = optional_member(file, "architectures");
  const bool by_class = architectures != nullptr && !architectures->as_array().empty();
  const std::string name =
      by_class ? architectures->as_array()[0].as_string() : member(file, "model_type").as_string();
  std::vector<std::string> names;
  for (const Family& family : kFamilies) {
    names.emplace_back(by_class ? family.architecture : family.model_type);
    if (name == names.back()) return family;
  }
  throw bad_data("architecture '" + name + "' is not supported, expected one of " + list_of(names) +
                 did_you_mean(name, names));
}

Activation activation_of(const Object& file, const char* where) {
  const std::string& name =
      of(where, [&]() -> const std::string& { return member(file, where).as_string(); });
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "gelu") return Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_fast" || name == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  if (name == "relu") return Activation::kRelu;
  const std::vector<std::string> known{"silu", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu"};
  throw bad_data("'" + std::string(where) + "' is '" + name + "', expected one of " + list_of(known) +
                 did_you_mean(name, known));
}

/// The members of "rope_scaling" (transformers 4) or "rope_parameters" (5).
void read_scaling(const Object& rope, const char* where, ModelConfig& model) {
  const Value* type = optional_member(rope, "rope_type");
  if (type == nullptr) type = optional_member(rope, "type");
  const std::string name = type == nullptr ? "default" : of(where, [&] { return type->as_string(); });
  if (name == "default") return;
  const auto needed = [&](const char* member_name) {
    return of(where, [&] { return member(rope, member_name).as_double(); });
  };
  if (name == "linear") {
    model.rope_scaling = RopeScaling::kLinear;
  } else if (name == "llama3") {
    model.rope_scaling = RopeScaling::kLlama3;
    model.rope_low_frequency = needed("low_freq_factor");
    model.rope_high_frequency = needed("high_freq_factor");
    model.rope_original_context =
        of(where, [&] { return member(rope, "original_max_position_embeddings").as_integer(); });
  } else {
    throw bad_data("rope scaling '" + name + "' in '" + where +
                   "' is not supported, expected one of default, linear, llama3" +
                   did_you_mean(name, {"default", "linear", "llama3"}));
  }
  model.rope_factor = needed("factor");
}

void read_rope(const Object& file, Layout layout, ModelConfig& model) {
  model.rope_base = number_or(file, layout == Layout::kGptNeoX ? "rotary_emb_base" : "rope_theta", 10000);
  model.rope_fraction = layout == Layout::kGptNeoX ? number_or(file, "rotary_pct", 0.25)
                                                   : number_or(file, "partial_rotary_factor", 1);
  if (const Value* scaling = optional_member(file, "rope_scaling"))
    read_scaling(of("rope_scaling", [&]() -> const Object& { return scaling->as_object(); }), "rope_scaling",
                 model);
  if (const Value* parameters = optional_member(file, "rope_parameters")) {
    const Object& rope = of("rope_parameters", [&]() -> const Object& { return parameters->as_object(); });
    read_scaling(rope, "rope_parameters", model);
    model.rope_base = number_or(rope, "rope_theta", model.rope_base);
    model.rope_fraction = number_or(rope, "partial_rotary_factor", model.rope_fraction);
  }
}

/// Mistral's holds in every layer; Qwen2's in those that say so.
void read_window(const Object& file, const Family& family, ModelConfig& model) {
  const std::string type = family.model_type;
  if (type == "qwen2" && !flag_or(file, "use_sliding_window", false)) return;
  if (type != "qwen2" && type != "mistral") return;
  model.sliding_window = integer_or(file, "sliding_window", 0);
  if (type == "qwen2" && model.sliding_window > 0 && integer_or(file, "max_window_layers", 0) > 0)
    throw bad_data(
        "'use_sliding_window' with 'max_window_layers' above 0 (a window in some layers only) is not "
        "supported");
}

void read_llama(const Object& file, const Family& family, ModelConfig& model) {
  const bool llama = std::string_view(family.model_type) == "llama",
             qwen2 = std::string_view(family.model_type) == "qwen2";
  model.norm = Norm::kRms;
  model.norm_epsilon = number_or(file, "rms_norm_eps", 1e-6);
  // The first Llama models do not say, and have as many as heads.
  model.kv_heads =
      llama ? integer_or(file, "num_key_value_heads", model.heads) : integer(file, "num_key_value_heads");
  model.gated = true;
  model.qkv_bias = qwen2 || (llama && flag_or(file, "attention_bias", false));
  model.output_bias = llama && flag_or(file, "attention_bias", false);
  model.ffn_bias = llama && flag_or(file, "mlp_bias", false);
}

void read_gpt_neox(const Object& file, ModelConfig& model) {
  model.norm = Norm::kLayer;
  model.norm_epsilon = number_or(file, "layer_norm_eps", 1e-5);
  model.kv_heads = model.heads;
  model.gated = false;
  model.parallel_residual = flag_or(file, "use_parallel_residual", true);
  model.qkv_bias = model.output_bias = flag_or(file, "attention_bias", true);
  model.ffn_bias = true;
}

/// The one family with names of its own for sizes.
void read_gpt2(const Object& file, ModelConfig& model) {
  model.vocabulary = integer(file, "vocab_size");
  model.layers = integer(file, "n_layer");
  model.hidden = integer(file, "n_embd");
  model.heads = model.kv_heads = integer(file, "n_head");
  model.context = integer(file, "n_positions");
  if (model.heads < 1 || model.hidden < 1 || model.hidden % model.heads != 0)
    throw bad_data("'n_embd' " + std::to_string(model.hidden) + " is not a multiple of 'n_head' " +
                   std::to_string(model.heads));
  model.head_dim = model.hidden / model.heads;
  if (model.hidden > 65'536) throw bad_data("'n_embd' is " + std::to_string(model.hidden));
  model.ffn = integer_or(file, "n_inner", 4 * model.hidden);
  model.position = Position::kLearned;
  model.norm = Norm::kLayer;
  model.norm_epsilon = number_or(file, "layer_norm_epsilon", 1e-5);
  model.activation = activation_of(file, "activation_function");
  model.gated = false;
  model.qkv_bias = model.output_bias = model.ffn_bias = true;
  model.tied_embeddings = flag_or(file, "tie_word_embeddings", true);
  if (!flag_or(file, "scale_attn_weights", true) || flag_or(file, "scale_attn_by_inverse_layer_idx", false))
    throw bad_data(
        "'scale_attn_weights' false and 'scale_attn_by_inverse_layer_idx' true (scores that are not divided "
        "by "
        "the root of the head's width alone) are not supported");
  if (flag_or(file, "add_cross_attention", false)) throw bad_data("'add_cross_attention' is not supported");
}

void read_opt(const Object& file, ModelConfig& model) {
  model.ffn = integer(file, "ffn_dim");
  model.kv_heads = model.heads;
  model.position = Position::kLearned;
  model.norm = Norm::kLayer;
  // Of the published models, that of 350 million parameters has its norms behind.
  model.norm_place = flag_or(file, "do_layer_norm_before", true) ? NormPlace::kPre : NormPlace::kPost;
  model.activation = activation_of(file, "activation_function");
  model.gated = false;
  model.qkv_bias = model.output_bias = model.ffn_bias = flag_or(file, "enable_bias", true);
  model.tied_embeddings = flag_or(file, "tie_word_embeddings", true);
  if (const std::int64_t width = integer_or(file, "word_embed_proj_dim", model.hidden); width != model.hidden)
    throw bad_data("'word_embed_proj_dim' " + std::to_string(width) +
                   " (embeddings that are projected to 'hidden_size' " + std::to_string(model.hidden) +
                   ") is not supported");
  if (!flag_or(file, "layer_norm_elementwise_affine", true) ||
      flag_or(file, "_remove_final_layer_norm", false))
    throw bad_data(
        "'layer_norm_elementwise_affine' false (norms without weights) and '_remove_final_layer_norm' true "
        "are "
        "not supported");
}

void read_sizes(const Object& file, Layout layout, ModelConfig& model) {
  model.vocabulary = integer(file, "vocab_size");
  model.layers = integer(file, "num_hidden_layers");
  model.hidden = integer(file, "hidden_size");
  model.heads = integer(file, "num_attention_heads");
  if (layout != Layout::kOpt) model.ffn = integer(file, "intermediate_size");
  model.context = integer(file, "max_position_embeddings");
  if (model.heads < 1 || model.hidden < 1)
    throw bad_data("'num_attention_heads' and 'hidden_size' must be positive");
  const bool free_width = layout == Layout::kLlama && optional_member(file, "head_dim") != nullptr;
  if (!free_width && model.hidden % model.heads != 0)
    throw bad_data("'hidden_size' " + std::to_string(model.hidden) +
                   " is not a multiple of 'num_attention_heads' " + std::to_string(model.heads));
  model.head_dim = free_width ? integer(file, "head_dim") : model.hidden / model.heads;
}

}  // namespace

ForeignConfig read_foreign_config(const Object& file) {
  const Family& family = family_of(file);
  if (optional_member(file, "quantization_config") != nullptr)
    throw bad_data(
        "'quantization_config': quantised weights are not supported, expected float32, bfloat16 or float16");
  ForeignConfig out;
  out.layout = family.layout;
  ModelConfig& model = out.model;
  model.family = family.model_type;
  if (family.layout == Layout::kGpt2) {
    read_gpt2(file, model);
  } else if (family.layout == Layout::kOpt) {
    read_sizes(file, family.layout, model);
    read_opt(file, model);
  } else {
    read_sizes(file, family.layout, model);
    model.position = Position::kRope;
    model.activation = activation_of(file, "hidden_act");
    model.tied_embeddings = flag_or(file, "tie_word_embeddings", false);
    read_rope(file, family.layout, model);
    read_window(file, family, model);
    if (family.layout == Layout::kLlama)
      read_llama(file, family, model);
    else
      read_gpt_neox(file, model);
  }
  if (const std::string wrong = model.fault(); !wrong.empty()) throw bad_data(wrong);
  return out;
}

}  // namespace stream::llm
