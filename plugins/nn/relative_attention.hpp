/// Multi-head self-attention with relative positions (Dai et al., "Transformer-XL", arXiv 1901.02860,
/// section 3.3).
#pragma once

#include "nn/blocks.hpp"

namespace stream::nn {

/// Sinusoids of the distances first, first-1, ..., last: [first-last+1, d], sines in even columns, cosines in
/// odd ones.
at::Tensor relative_positions(std::int64_t first, std::int64_t last, std::int64_t features);

/// scores: [..., c, P], column m of row i belonging to the distance of row 0's column m ... Returns [..., c,
/// P-c+1] whose element (i, j) is scores(i, c-1-i+j): query i against key j.
at::Tensor relative_shift(const at::Tensor& scores);

class RelativeAttention : public torch::nn::Module {
 public:
  RelativeAttention(std::int64_t features, std::int64_t heads, const at::Generator& generator);

  /// Keys and values of new frames, side by side: x [B, T, d] -> [B, T, 2d]. What a streaming caller caches.
  at::Tensor keys_values(const at::Tensor& x) const { return at::linear(x, key_value); }
  /// W_r R, by head: positions [P, d] -> [heads, d/heads, P]. Depends on the weights alone: compute it once
  /// when they are fixed.
  at::Tensor project_positions(const at::Tensor& positions) const;
  /// x: queries [B, c, d]; kv: [B, K, 2d], the last c of K keys being those of x; positions: of the distances
  /// K-1 ... -(c-1), projected; mask: added to the scores, broadcast to [B, heads, c, K]. Returns [B, c, d].
  ///
  ///   score(i, j) = [ (q_i + u) k_j + (q_i + v) W_r R(i - j) ] / sqrt(d / heads)
  at::Tensor forward(const at::Tensor& x, const at::Tensor& kv, const at::Tensor& positions,
                     const at::Tensor& mask) const;

  std::int64_t heads() const { return bias_u.size(0); }

 private:
  at::Tensor query, key_value, position;  ///< [d, d], [2d, d], [d, d], without bias
  at::Tensor bias_u, bias_v;              ///< [heads, 1, d/heads]
  std::shared_ptr<Linear> out_;
};

}  // namespace stream::nn
