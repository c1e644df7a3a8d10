#include "products/cope_pretrained.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::products {

namespace {

/// Copies tensors over a module's parameters, by the names of both.
class Filling {
 public:
  Filling(const nn::ForeignTensors& tensors, const torch::nn::Module& module)
      : tensors_(tensors), parameters_(module.named_parameters()) {}
  void set(const std::string& parameter, const at::Tensor& value) {
    const torch::NoGradGuard no_grad;
    parameters_[parameter].copy_(value);
  }
  void copy(const std::string& parameter, const std::string& tensor) {
    set(parameter, tensors_.get(tensor, parameters_[parameter].sizes()));
  }
  /// Weight and bias.
  void both(const std::string& parameter, const std::string& tensor) {
    copy(parameter + ".weight", tensor + ".weight"), copy(parameter + ".bias", tensor + ".bias");
  }

 private:
  const nn::ForeignTensors& tensors_;
  torch::OrderedDict<std::string, at::Tensor> parameters_;
};

constexpr std::int64_t kHead = 64;  ///< numbers of a head in BERT and in CLIP

std::int64_t heads_of(std::int64_t width, std::int64_t otherwise) {
  return width % kHead == 0 ? width / kHead : otherwise;
}

/// A layer of CLIP's transformer.
void copy_clip_layer(Filling& into, const std::string& to, const std::string& from) {
  into.copy(to + "attn.in_weight", from + "attn.in_proj_weight");
  into.copy(to + "attn.in_bias", from + "attn.in_proj_bias");
  into.both(to + "attn.out", from + "attn.out_proj");
  into.both(to + "mlp.up", from + "mlp.c_fc"), into.both(to + "mlp.down", from + "mlp.c_proj");
  into.both(to + "ln_1", from + "ln_1"), into.both(to + "ln_2", from + "ln_2");
}

}  // namespace

nn::ForeignTensors bert_tensors(const std::string& path) { return nn::ForeignTensors(path, {"bert."}); }

void set_bert_sizes(const nn::ForeignTensors& tensors, CopeShape& shape) {
  const at::Tensor words = tensors.get("embeddings.word_embeddings.weight");
  if (words.dim() != 2) throw bad_data(tensors.path() + ": embeddings.word_embeddings.weight is no matrix");
  shape.vocabulary = words.size(0), shape.text_width = words.size(1);
  shape.text_heads = heads_of(shape.text_width, shape.text_heads);
  shape.text_epsilon = 1e-12;
  shape.text_layers = 0;
  while (tensors.has("encoder.layer." + std::to_string(shape.text_layers) + ".output.dense.weight"))
    ++shape.text_layers;
  if (shape.text_layers == 0)
    throw bad_data(tensors.path() + ": tensor 'encoder.layer.0.output.dense.weight' is missing");
}

void load_bert(const nn::ForeignTensors& tensors, TextEncoder& encoder, const CopeShape& shape) {
  Filling into(tensors, encoder);
  into.copy("word_embeddings", "embeddings.word_embeddings.weight");
  const at::Tensor positions = tensors.get("embeddings.position_embeddings.weight");
  const std::int64_t rows = std::max(shape.title, shape.speech);
  if (positions.dim() != 2 || positions.size(0) < rows || positions.size(1) != shape.text_width)
    throw bad_data(tensors.path() + ": embeddings.position_embeddings.weight has not the " +
                   std::to_string(rows) + " rows of " + std::to_string(shape.text_width) +
                   " that texts need");
  const at::Tensor segments = tensors.get("embeddings.token_type_embeddings.weight");
  if (segments.dim() != 2 || segments.size(0) < 1 || segments.size(1) != shape.text_width)
    throw bad_data(tensors.path() + ": embeddings.token_type_embeddings.weight has no row of " +
                   std::to_string(shape.text_width));
  into.set("position_embeddings", positions.narrow(0, 0, rows) + segments[0]);
  into.both("embeddings_norm", "embeddings.LayerNorm");
  const std::int64_t d = shape.text_width;
  for (std::int64_t i = 0; i < shape.text_layers; ++i) {
    const std::string to = "layer_" + std::to_string(i), from = "encoder.layer." + std::to_string(i) + ".";
    std::vector<at::Tensor> weights, biases;
    for (const char* part : {"query", "key", "value"}) {
      weights.push_back(tensors.get(from + "attention.self." + part + ".weight", {d, d}));
      biases.push_back(tensors.get(from + "attention.self." + part + ".bias", {d}));
    }
    into.set(to + "_attention.in_weight", at::cat(weights));
    into.set(to + "_attention.in_bias", at::cat(biases));
    into.both(to + "_attention.out", from + "attention.output.dense");
    into.both(to + "_attention_norm", from + "attention.output.LayerNorm");
    into.both(to + "_mlp.up", from + "intermediate.dense");
    into.both(to + "_mlp.down", from + "output.dense");
    into.both(to + "_mlp_norm", from + "output.LayerNorm");
  }
  into.both("pooler", "pooler.dense");
}

nn::ForeignTensors xclip_tensors(const std::string& path) { return nn::ForeignTensors(path, {"module."}); }

void set_xclip_sizes(const nn::ForeignTensors& tensors, CopeShape& shape) {
  const at::Tensor patches = tensors.get("visual.conv1.weight"),
                   positions = tensors.get("visual.positional_embedding"),
                   projection = tensors.get("visual.proj"), times = tensors.get("mit.positional_embedding");
  if (patches.dim() != 4 || positions.dim() != 2 || positions.size(0) < 2 || projection.dim() != 2 ||
      times.dim() != 3)
    throw bad_data(
        tensors.path() +
        ": conv1, positional_embedding, proj and mit.positional_embedding are not those of X-CLIP");
  shape.width = patches.size(0), shape.patch = patches.size(2);
  shape.size = shape.patch * std::llround(std::sqrt(static_cast<double>(positions.size(0) - 1)));
  shape.features = projection.size(1), shape.frames = times.size(1);
  shape.heads = heads_of(shape.width, shape.heads);
  shape.integration = heads_of(shape.features, shape.integration);
  shape.blocks = 0;
  while (tensors.has("visual.transformer.resblocks." + std::to_string(shape.blocks) + ".message_fc.weight"))
    ++shape.blocks;
  if (shape.blocks == 0)
    throw bad_data(tensors.path() + ": tensor 'visual.transformer.resblocks.0.message_fc.weight' is missing");
  if (tensors.has("mit.resblocks.1.ln_1.weight"))
    throw bad_data(tensors.path() + ": the frames are integrated by several layers, expected one");
}

void load_xclip(const nn::ForeignTensors& tensors, VisualEncoder& encoder, const CopeShape& shape) {
  Filling into(tensors, encoder);
  into.set("conv1",
           tensors.get("visual.conv1.weight", {shape.width, 3, shape.patch, shape.patch}).flatten(1));
  into.copy("class_embedding", "visual.class_embedding");
  into.copy("positional_embedding", "visual.positional_embedding");
  into.both("ln_pre", "visual.ln_pre"), into.both("ln_post", "visual.ln_post");
  into.set("proj", tensors.get("visual.proj", {shape.width, shape.features}).t());
  into.set("mit_positional_embedding",
           tensors.get("mit.positional_embedding", {1, shape.frames, shape.features})[0]);
  for (std::int64_t i = 0; i < shape.blocks; ++i) {
    const std::string to = "resblocks_" + std::to_string(i) + ".",
                      from = "visual.transformer.resblocks." + std::to_string(i) + ".";
    copy_clip_layer(into, to, from);
    into.both(to + "message_fc", from + "message_fc"), into.both(to + "message_ln", from + "message_ln");
    into.copy(to + "message_attn.in_weight", from + "message_attn.in_proj_weight");
    into.copy(to + "message_attn.in_bias", from + "message_attn.in_proj_bias");
    into.both(to + "message_attn.out", from + "message_attn.out_proj");
  }
  copy_clip_layer(into, "mit_", "mit.resblocks.0.");
}

}  // namespace stream::products
