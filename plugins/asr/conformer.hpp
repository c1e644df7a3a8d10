/// The encoder of the cache-aware streaming Conformer (Noroozi et al., "Stateful Conformer with Cache-based
/// Inference for Streaming Automatic Speech Recognition", arXiv 2312.17279) with a CTC head and a head for
/// word times.
///
/// Streaming a chunk at a time with caches equals running the whole recording at once under the chunk-aware
/// mask: the convolutions are causal, normalisation is per frame, and in no layer does a frame see beyond its
/// own chunk.
#pragma once

#include "nn/relative_attention.hpp"
#include "stream/archive.hpp"

namespace stream::asr {

/// Hyper-parameters, stored with the weights.
struct ConformerShape {
  std::int64_t features = 96;  ///< d
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t expansion = 4;                           ///< of the feed-forward modules
  std::int64_t kernel = 9;                              ///< of the causal depthwise convolution
  std::int64_t channels = 16;                           ///< C of the subsampling stages
  std::int64_t left = 28;                               ///< L: encoder frames of left context
  std::vector<std::int64_t> lookaheads = {6, 3, 1, 0};  ///< r, in encoder frames; the first is the default
  std::int64_t vocabulary = 0;                          ///< pieces without the blank, which is the last class

  void save(Archive& group) const;
  /// Throws Error(kBadData) when a value is missing or not sensible: nothing is allocated by an unchecked
  /// number.
  static ConformerShape load(const Archive& group);
};

/// Mel frames of one encoder frame, and its length in time: 80 ms.
inline constexpr std::int64_t kSubsampling = 8;
inline constexpr double kFrameSeconds = 0.08;  ///< a frame of the encoder's output: 8 hops of 10 ms

/// Three stride-2 3x3 convolutions over (time, mel), zeros two before and one behind on both axes, so that an
/// output depends on no frame after its own.
class Subsampling : public torch::nn::Module {
 public:
  Subsampling(const ConformerShape& shape, const at::Generator& generator);
  /// Whole recordings: [B, T, 80] -> [B, ceil-like T/8, d], lengths T -> T/2+1 in each stage.
  at::Tensor forward(const at::Tensor& mels) const;
  static std::int64_t output_length(std::int64_t frames);

 private:
  /// One stage over rows that are padded on both axes: [B, channels, rows, mels] -> [B, C, (rows-3)/2+1,
  /// ...].
  at::Tensor stage(int index, const at::Tensor& padded) const;
  at::Tensor conv0_w, conv0_b;
  std::array<at::Tensor, 2> depth_w, depth_b, point_w, point_b;
  std::shared_ptr<nn::Linear> out_;
};

/// 1/2 FFN, attention, convolution, 1/2 FFN, LayerNorm.
class ConformerLayer : public torch::nn::Module {
 public:
  ConformerLayer(const ConformerShape& shape, const at::Generator& generator);
  /// x [B, T, d], whole recordings: zeros before the convolution.
  at::Tensor forward(at::Tensor x, const at::Tensor& positions, const at::Tensor& mask) const;
  at::Tensor project_positions(const at::Tensor& r) const { return attention_->project_positions(r); }

 private:
  at::Tensor feed_forward(const nn::LayerNorm& norm, const nn::Linear& up, const nn::Linear& down,
                          const at::Tensor& x) const;
  std::shared_ptr<nn::LayerNorm> norm_ff1_, norm_attention_, norm_conv_, norm_inner_, norm_ff2_, norm_out_;
  std::shared_ptr<nn::Linear> ff1_up_, ff1_down_, ff2_up_, ff2_down_, pointwise1_, pointwise2_;
  std::shared_ptr<nn::RelativeAttention> attention_;
  std::shared_ptr<nn::CausalDepthwiseConv1d> depthwise_;
};

/// Query i may see key j iff 0 <= floor(i/c) - floor(j/c) <= left/c with c = lookahead + 1: 0 where it may,
/// -inf where not. `lookahead` < 0 stands for full context.
at::Tensor chunk_mask(std::int64_t frames, std::int64_t left, std::int64_t lookahead);

class Conformer : public torch::nn::Module {
 public:
  Conformer(const ConformerShape& shape, const at::Generator& generator);

  struct Heads {
    at::Tensor encoded;  ///< [B, T, d]
    at::Tensor logits;   ///< [B, T, vocabulary + 1]
    at::Tensor times;    ///< [B, T, 2]: start and end of the word that ends its spike here, relative to the
                         ///< frame, in frames
  };
  Heads heads(const at::Tensor& encoded) const;
  /// Whole recordings under one look-ahead. mels [B, T, 80]; lengths: encoder frames of each (others are
  /// masked).
  at::Tensor encode(const at::Tensor& mels, const std::vector<std::int64_t>& lengths,
                    std::int64_t lookahead) const;

  const ConformerShape& shape() const { return shape_; }
  const Subsampling& subsampling() const { return *subsampling_; }
  const std::vector<std::shared_ptr<ConformerLayer>>& layers() const { return layers_; }

 private:
  ConformerShape shape_;
  std::shared_ptr<Subsampling> subsampling_;
  std::vector<std::shared_ptr<ConformerLayer>> layers_;
  std::shared_ptr<nn::Linear> ctc_, times_;
};

}  // namespace stream::asr
