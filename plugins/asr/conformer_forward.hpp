/// The Conformer's layers over a few new frames of one stream, on plain floats: what ConformerLayer computes,
/// without the calls of a framework, which at batch 1 cost several times as much as the work.
#pragma once

#include "asr/conformer.hpp"
#include "nn/dense.hpp"

namespace stream::asr {

class ConformerForward {
 public:
  /// Copies the weights.
  explicit ConformerForward(const Conformer& network);

  /// Of one layer, what later frames need of those before.
  struct Cache {
    at::Tensor kv;    ///< keys and values of the last L frames, [1, L, 2d]
    at::Tensor conv;  ///< inputs of the depthwise convolution, [1, kernel - 1, d]
  };
  std::vector<Cache> begin() const;

  /// Position encodings for `fresh` frames that see `keys` frames, themselves the last of those, projected
  /// for each layer: [d, count] and room behind.
  struct Positions {
    std::int64_t fresh = 0, keys = 0, count = 0;
    std::vector<std::vector<float>> layers;
  };
  Positions positions(std::int64_t fresh, std::int64_t keys) const;

  /// Floats from one frame of x to the next.
  std::int64_t ld() const { return ld_; }
  /// `n` frames of x from `first` on, as a tensor of their own [1, n, d].
  at::Tensor frames(std::vector<float>& x, std::int64_t first, std::int64_t n) const;
  /// All layers over x [positions.fresh, d], in place. Without caches the frames see each other. With caches
  /// they see the last L frames too, the first `hidden` of which do not exist yet, and the caches become
  /// those of the next frames.
  void forward(float* x, const Positions& positions, std::vector<Cache>* caches, std::int64_t hidden);

 private:
  struct Norm {
    std::vector<float> weight, bias;
  };
  struct Layer {
    Norm norm_ff1, norm_attention, norm_conv, norm_inner, norm_ff2, norm_out;
    nn::DenseLinear ff1_up, ff1_down, query, key_value, attention_out, pointwise1, pointwise2, ff2_up,
        ff2_down;
    std::vector<float> bias_u, bias_v;             ///< by head, [d]
    std::vector<float> depthwise, depthwise_bias;  ///< [kernel, ld], [ld]
  };
  void normalise(const Norm& norm, const float* x, float* y, std::int64_t n) const;
  void feed_forward(float* x, const Norm& norm, const nn::DenseLinear& up, const nn::DenseLinear& down,
                    std::int64_t n);
  void attention(float* x, const Layer& layer, const Positions& where, const std::vector<float>& encodings,
                 at::Tensor* cache, std::int64_t hidden);
  void convolution(float* x, const Layer& layer, at::Tensor* cache, std::int64_t n);

  const Conformer* network_;
  ConformerShape shape_;
  std::int64_t ld_;
  std::vector<Layer> layers_;
  // Room for what lies between two steps, kept from one call to the next.
  std::vector<float> normed_, wide_, kv_, turned_, query_u_, query_v_, scores_, distances_, mixed_, history_;
};

}  // namespace stream::asr
