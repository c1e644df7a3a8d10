#include "llm/hugging_face/weights.hpp"

#include <algorithm>

#include <cstring>
#include <vector>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

using Tensors = std::map<std::string, Tensor, std::less<>>;

/// Rows of OPT's positions that stand before that of position 0.
constexpr std::int64_t kOptPadding = 2;

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

bool replace_front(std::string& name, std::string_view front, std::string_view by) {
  if (!name.starts_with(front)) return false;
  name.replace(0, front.size(), by);
  return true;
}

void replace_inside(std::string& name, std::string_view part, std::string_view by) {
  if (const auto at = name.find(part); at != std::string::npos) name.replace(at, part.size(), by);
}

/// What the checkpoint calls one of our weights.
std::string llama_name(const std::string& name) {
  return name.starts_with("lm_head.") ? name : "model." + name;
}

std::string gpt_neox_name(std::string name) {
  if (replace_front(name, "lm_head.", "embed_out.")) return name;
  if (!replace_front(name, "embed_tokens.", "gpt_neox.embed_in.") &&
      !replace_front(name, "norm.", "gpt_neox.final_layer_norm."))
    name = "gpt_neox." + name;
  replace_inside(name, ".self_attn.o_proj.", ".attention.dense.");
  replace_inside(name, ".mlp.up_proj.", ".mlp.dense_h_to_4h.");
  replace_inside(name, ".mlp.down_proj.", ".mlp.dense_4h_to_h.");
  return name;
}

std::string gpt2_name(std::string name) {
  if (name.starts_with("lm_head.")) return name;
  if (!replace_front(name, "embed_tokens.", "wte.") && !replace_front(name, "position_embedding.", "wpe.") &&
      !replace_front(name, "norm.", "ln_f."))
    replace_front(name, "layers.", "h.");
  replace_inside(name, ".input_layernorm.", ".ln_1.");
  replace_inside(name, ".post_attention_layernorm.", ".ln_2.");
  replace_inside(name, ".self_attn.o_proj.", ".attn.c_proj.");
  replace_inside(name, ".mlp.up_proj.", ".mlp.c_fc.");
  replace_inside(name, ".mlp.down_proj.", ".mlp.c_proj.");
  return "transformer." + name;
}

std::string opt_name(std::string name) {
  if (name.starts_with("lm_head.")) return name;
  if (!replace_front(name, "position_embedding.", "embed_positions."))
    replace_front(name, "norm.", "final_layer_norm.");
  replace_inside(name, ".input_layernorm.", ".self_attn_layer_norm.");
  replace_inside(name, ".post_attention_layernorm.", ".final_layer_norm.");
  replace_inside(name, ".self_attn.o_proj.", ".self_attn.out_proj.");
  replace_inside(name, ".mlp.up_proj.", ".fc1.");
  replace_inside(name, ".mlp.down_proj.", ".fc2.");
  return "model.decoder." + name;
}

/// Of the three matrices of a feed-forward layer.
struct LitGptNames {
  const char *gate, *up, *down;
};
LitGptNames lit_gpt_names(const ModelConfig& model, const Tensors& tensors) {
  if (!model.gated) return {"", "fc", "proj"};
  return tensors.contains("transformer.h.0.mlp.swiglu.w1.weight")
             ? LitGptNames{"swiglu.w1", "swiglu.w2", "swiglu.w3"}
             : LitGptNames{"fc_1", "fc_2", "proj"};
}
std::string lit_gpt_name(std::string name, const LitGptNames& names) {
  if (name.starts_with("lm_head.")) return name;
  if (!replace_front(name, "embed_tokens.", "wte.") && !replace_front(name, "norm.", "ln_f."))
    replace_front(name, "layers.", "h.");
  replace_inside(name, ".input_layernorm.", ".norm_1.");
  replace_inside(name, ".post_attention_layernorm.", ".norm_2.");
  replace_inside(name, ".self_attn.o_proj.", ".attn.proj.");
  replace_inside(name, ".self_attn.value_bias", ".attn.v_bias");
  replace_inside(name, ".mlp.gate_proj.", std::string(".mlp.") + names.gate + ".");
  replace_inside(name, ".mlp.up_proj.", std::string(".mlp.") + names.up + ".");
  replace_inside(name, ".mlp.down_proj.", std::string(".mlp.") + names.down + ".");
  return "transformer." + name;
}

std::string foreign_name(Layout layout, const std::string& name, const LitGptNames& lit_gpt) {
  switch (layout) {
    case Layout::kOpt:
      return opt_name(name);
    case Layout::kLitGpt:
      return lit_gpt_name(name, lit_gpt);
    case Layout::kGptNeoX:
      return gpt_neox_name(name);
    case Layout::kGpt2:
      return gpt2_name(name);
    default:
      return llama_name(name);
  }
}

/// [a, b] as [b, a].
Tensor transposed(const Tensor& tensor) {
  const auto rows = static_cast<std::size_t>(tensor.shape()[0]),
             cols = static_cast<std::size_t>(tensor.shape()[1]);
  const std::size_t size = tensor.buffer().size() / (rows * cols);
  std::vector<std::byte> bytes(tensor.buffer().size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c)
      std::memcpy(bytes.data() + (c * rows + r) * size, tensor.buffer().data() + (r * cols + c) * size, size);
  return {Buffer::own(std::move(bytes)), tensor.dtype(), {tensor.shape()[1], tensor.shape()[0]}};
}

/// [rows, ...] without the first `count`.
Tensor without_rows(const Tensor& tensor, std::int64_t count) {
  std::vector<std::int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  const std::size_t row = tensor.buffer().size() / static_cast<std::size_t>(shape[0]),
                    skipped = row * static_cast<std::size_t>(count);
  shape[0] -= count;
  return {Buffer::copy(tensor.buffer().bytes().subspan(skipped)), tensor.dtype(), std::move(shape)};
}

/// Checkpoints that were saved without the name of the part that is not the head, or within what a training
/// run keeps: as they are named otherwise.
void name_whole(Layout layout, Tensors& tensors) {
  const auto rename = [&](const auto& new_name) {
    Tensors out;
    for (auto& [name, tensor] : tensors)
      if (const std::string to = new_name(name); !to.empty()) out.emplace(to, std::move(tensor));
    tensors = std::move(out);
  };
  const auto with_front = [&](const char* front) {
    rename([&](const std::string& name) { return name.starts_with("lm_head.") ? name : front + name; });
  };
  if (layout == Layout::kGpt2 && tensors.contains("wte.weight")) with_front("transformer.");
  if (layout == Layout::kOpt && tensors.contains("decoder.embed_tokens.weight")) with_front("model.");
  // The optimiser's state goes with it.
  if (layout == Layout::kLitGpt && tensors.contains("model.transformer.wte.weight"))
    rename(
        [](const std::string& name) { return name.starts_with("model.") ? name.substr(6) : std::string(); });
}

/// Constants that some versions have saved with the weights.
bool is_constant(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attention.bias") ||
         name.ends_with(".attention.masked_bias") || name.ends_with(".attn.bias") ||
         name.ends_with(".attn.masked_bias");
}

struct Wanted {
  std::string name;  ///< in the checkpoint
  std::vector<std::int64_t> shape;
};

/// Rows of `groups` groups, each of which has `queries` heads of q, one of k and one of v, as three tensors.
std::vector<Tensor> taken_apart(const Tensor& fused, std::int64_t groups, std::int64_t queries) {
  const std::size_t heads = static_cast<std::size_t>(queries) + 2, count = static_cast<std::size_t>(groups);
  const std::size_t head = fused.buffer().size() / (count * heads);
  std::vector<std::int64_t> shape(fused.shape().begin(), fused.shape().end());
  const std::int64_t rows = shape[0] / (groups * (queries + 2));
  std::vector<Tensor> out;
  for (std::size_t which = 0; which < 3; ++which) {
    const std::size_t first = which == 0 ? 0 : heads - 3 + which, taken = which == 0 ? heads - 2 : 1;
    std::vector<std::byte> bytes(count * taken * head);
    for (std::size_t group = 0; group < count; ++group)
      std::memcpy(bytes.data() + group * taken * head, fused.buffer().data() + (group * heads + first) * head,
                  taken * head);
    shape[0] = groups * static_cast<std::int64_t>(taken) * rows;
    out.emplace_back(Buffer::own(std::move(bytes)), fused.dtype(), shape);
  }
  return out;
}

/// Takes a tensor out of `tensors`, checked.
class Taker {
 public:
  Taker(Tensors& tensors, const std::vector<Wanted>& wanted) : tensors_(tensors) {
    for (const Wanted& w : wanted) wanted_.push_back(w.name);
    std::sort(wanted_.begin(), wanted_.end());
    for (const auto& [name, tensor] : tensors)
      if (!std::binary_search(wanted_.begin(), wanted_.end(), name)) others_.push_back(name);
  }
  Tensor take(const Wanted& wanted) {
    const auto found = tensors_.find(wanted.name);
    if (found == tensors_.end())
      throw bad_data("tensor '" + wanted.name + "' " + shape_text(wanted.shape) + " is missing" +
                     did_you_mean(wanted.name, others_));
    Tensor tensor = found->second;
    if (!std::ranges::equal(tensor.shape(), wanted.shape))
      throw bad_data("tensor '" + wanted.name + "' has the shape " + shape_text(tensor.shape()) +
                     ", expected " + shape_text(wanted.shape) + " by config.json");
    if (tensor.dtype() != DType::kF32 && tensor.dtype() != DType::kBF16 && tensor.dtype() != DType::kF16)
      throw bad_data("tensor '" + wanted.name + "' is of type " + name_of(tensor.dtype()) +
                     ", expected float32, bfloat16 or float16");
    tensors_.erase(found);
    return tensor;
  }
  /// Whatever is left belongs to another model.
  void expect_nothing_left() const {
    for (const auto& [name, tensor] : tensors_)
      if (!is_constant(name))
        throw bad_data("tensor '" + name + "' " + shape_text(tensor.shape()) +
                       " is not part of the model that config.json describes" + did_you_mean(name, wanted_));
  }

 private:
  Tensors& tensors_;
  std::vector<std::string> wanted_, others_;
};

void collect(const Archive& archive, const std::string& prefix, Tensors& out) {
  for (const auto& [name, entry] : archive.entries()) {
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry))
      collect(**group, prefix + name + ".", out);
    else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry))
      out.emplace(prefix + name, **tensor);
  }
}

}  // namespace

Tensors dotted_tensors(const Archive& archive) {
  Tensors out;
  collect(archive, "", out);
  return out;
}

Tensors foreign_weights(const ForeignConfig& config, Tensors tensors) {
  const ModelConfig& model = config.model;
  const Layout layout = config.layout;
  const bool neox = layout == Layout::kGptNeoX, gpt2 = layout == Layout::kGpt2, opt = layout == Layout::kOpt,
             lit_gpt = layout == Layout::kLitGpt, fused = neox || gpt2 || lit_gpt;
  name_whole(layout, tensors);
  const LitGptNames lit_gpt_parts = lit_gpt_names(model, tensors);
  // A tied checkpoint may have the matrix under both of its names.
  if (model.tied_embeddings) tensors.erase(neox ? "embed_out.weight" : "lm_head.weight");

  // Ours in order; what holds all three stands where q_proj does, and k_proj and v_proj come with it.
  const std::string q = ".self_attn.q_proj.", k = ".self_attn.k_proj.", v = ".self_attn.v_proj.";
  const auto turned = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    return gpt2 && shape.size() == 2 && name.starts_with("layers.");
  };
  std::vector<std::pair<std::string, Wanted>> plan;
  std::vector<Wanted> wanted;
  for (const WeightShape& weight : weight_shapes(model)) {
    if (fused && (weight.name.find(k) != std::string::npos || weight.name.find(v) != std::string::npos))
      continue;
    Wanted w{foreign_name(layout, weight.name, lit_gpt_parts), weight.shape};
    if (fused && weight.name.find(q) != std::string::npos) {
      replace_inside(w.name, q,
                     neox   ? ".attention.query_key_value."
                     : gpt2 ? ".attn.c_attn."
                            : ".attn.attn.");
      w.shape[0] = model.query_width() + 2 * model.kv_width();
    }
    // OPT leaves the first two places to padding.
    if (opt && weight.name.starts_with("position_embedding.")) w.shape[0] += kOptPadding;
    // One vector for all heads has no dimension for them.
    if (lit_gpt && weight.name.ends_with("value_bias") && model.bias_shared) w.shape = {model.head_dim};
    if (turned(weight.name, w.shape)) std::swap(w.shape[0], w.shape[1]);
    wanted.push_back(w);
    plan.emplace_back(weight.name, std::move(w));
  }

  Taker taker(tensors, wanted);
  Tensors out;
  for (const auto& [name, w] : plan) {
    Tensor tensor = taker.take(w);
    if (turned(name, w.shape)) tensor = transposed(tensor);
    if (fused && name.find(q) != std::string::npos) {
      // GPT-NeoX has q, k and v head by head, lit-gpt group by group, GPT-2 all heads of each together.
      auto parts = gpt2 ? taken_apart(tensor, 1, 1)
                        : taken_apart(tensor, model.kv_heads, model.heads / model.kv_heads);
      for (std::size_t i = 0; i < 3; ++i) {
        std::string ours = name;
        replace_inside(ours, q, i == 0 ? q : i == 1 ? k : v);
        out.emplace(std::move(ours), std::move(parts[i]));
      }
    } else if (opt && name.starts_with("position_embedding.")) {
      out.emplace(name, without_rows(tensor, kOptPadding));
    } else if (lit_gpt && name.ends_with("value_bias")) {
      const std::int64_t heads = model.bias_shared ? 1 : model.kv_heads;
      out.emplace(name, Tensor(tensor.buffer(), tensor.dtype(), {heads, model.head_dim}));
    } else {
      out.emplace(name, std::move(tensor));
    }
  }
  taker.expect_nothing_left();
  return out;
}

}  // namespace stream::llm
