#include "llm/hugging_face/weights.hpp"

#include <algorithm>

#include <cstring>
#include <vector>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

using Tensors = std::map<std::string, Tensor, std::less<>>;

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

std::string foreign_name(Layout layout, const std::string& name) {
  switch (layout) {
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

/// The first GPT-2 checkpoints were saved without the name of the part that is not the head.
void name_transformer(Tensors& tensors) {
  if (!tensors.contains("wte.weight")) return;
  Tensors out;
  for (auto& [name, tensor] : tensors)
    out.emplace(name.starts_with("lm_head.") ? name : "transformer." + name, std::move(tensor));
  tensors = std::move(out);
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

/// Rows [3 * heads * head_dim, ...], for each head those of q, k and v, as three tensors.
std::vector<Tensor> taken_apart(const Tensor& fused, std::int64_t heads, std::int64_t head_dim) {
  std::vector<std::int64_t> shape(fused.shape().begin(), fused.shape().end());
  shape[0] = heads * head_dim;
  const std::size_t part = fused.buffer().size() / 3, block = part / static_cast<std::size_t>(heads);
  std::vector<Tensor> out;
  for (std::size_t which = 0; which < 3; ++which) {
    std::vector<std::byte> bytes(part);
    for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head)
      std::memcpy(bytes.data() + head * block, fused.buffer().data() + (3 * head + which) * block, block);
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
  const bool neox = layout == Layout::kGptNeoX, gpt2 = layout == Layout::kGpt2, fused = neox || gpt2;
  if (gpt2) name_transformer(tensors);
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
    Wanted w{foreign_name(layout, weight.name), weight.shape};
    if (fused && weight.name.find(q) != std::string::npos) {
      replace_inside(w.name, q, neox ? ".attention.query_key_value." : ".attn.c_attn.");
      w.shape[0] *= 3;
    }
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
      // GPT-NeoX has q, k and v head by head, GPT-2 all heads of each together.
      auto parts =
          gpt2 ? taken_apart(tensor, 1, model.hidden) : taken_apart(tensor, model.heads, model.head_dim);
      for (std::size_t i = 0; i < 3; ++i) {
        std::string ours = name;
        replace_inside(ours, q, i == 0 ? q : i == 1 ? k : v);
        out.emplace(std::move(ours), std::move(parts[i]));
      }
    } else {
      out.emplace(name, std::move(tensor));
    }
  }
  taker.expect_nothing_left();
  return out;
}

}  // namespace stream::llm
