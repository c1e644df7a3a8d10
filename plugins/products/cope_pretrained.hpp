/// Encoders to start from that others have trained: BERT's for text, X-CLIP's for pictures, from the tensors
/// that `stream import` writes.
#pragma once

#include "nn/foreign_tensors.hpp"
#include "products/cope_network.hpp"

namespace stream::products {

/// Hugging Face's names, with "bert." before them or without: embeddings.word_embeddings.weight,
/// encoder.layer.0.attention.self.query.weight, pooler.dense.weight ...
nn::ForeignTensors bert_tensors(const std::string& path);
/// Fills in what the tensors say of the text encoder: vocabulary, width, layers, BERT's epsilon; and heads of
/// 64 numbers each where the width has such.
void set_bert_sizes(const nn::ForeignTensors& tensors, CopeShape& shape);
/// The rows that a text of one segment gets are added to the positions. Throws Error(kBadData) that names the
/// first tensor that is missing or misshapen.
void load_bert(const nn::ForeignTensors& tensors, TextEncoder& encoder, const CopeShape& shape);

/// The names of X-CLIP's own code: visual.conv1.weight, visual.transformer.resblocks.0.message_fc.weight,
/// mit.resblocks.0.attn.in_proj_weight ...
nn::ForeignTensors xclip_tensors(const std::string& path);
/// Size, patch, width, blocks, frames, features; and heads of 64 numbers each where the widths have such.
void set_xclip_sizes(const nn::ForeignTensors& tensors, CopeShape& shape);
void load_xclip(const nn::ForeignTensors& tensors, VisualEncoder& encoder, const CopeShape& shape);

}  // namespace stream::products
