/// Messages along typed edges, for graphs as lists of edges.
#pragma once

#include "nn/blocks.hpp"

namespace stream::events {

/// Edges as tensors: from node `src` to node `dst`.
struct EdgeList {
  at::Tensor src, dst;  ///< [E] int64
};

/// out[i] = sum over edges e into i, and over b, of c[e, b] h[src(e), b]: [n, d] from h [n, B, d] and
/// c [E, B]. Gradients flow to h and c.
at::Tensor gather_messages(const at::Tensor& h, const at::Tensor& c, const EdgeList& edges);

/// A relational graph convolution with basis decomposition (Schlichtkrull et al., "Modeling Relational Data
/// with Graph Convolutional Networks", ESWC 2018, equations 2 and 3):
/// W_0 h_i + sum_r sum_{j in N_r(i)} W_r h_j / |N_r(i)|, W_r = sum_b a_rb V_b.
class RelationalConvolution : public torch::nn::Module {
 public:
  RelationalConvolution(std::int64_t in, std::int64_t out, std::int64_t relations, std::int64_t bases,
                        const at::Generator& generator);
  /// h: [n, in]; relation: [E] int64; norm: [E] 1 / |N_r(dst)|; distance: [E], or undefined: each basis is
  /// weighed by a_rb + s_rb distance. Returns [n, out], without the relu.
  at::Tensor forward(const at::Tensor& h, const EdgeList& edges, const at::Tensor& relation,
                     const at::Tensor& norm, const at::Tensor& distance) const;
  /// W_r of all relations: [R, out, in].
  at::Tensor matrices() const;
  std::shared_ptr<nn::Linear> self;
  at::Tensor bases, coefficients, slopes;  ///< [in, B * out], [R, B], [R, B]
};

/// [E] 1 / (number of edges of the same relation into the same node).
at::Tensor relation_norm(const EdgeList& edges, const at::Tensor& relation, std::int64_t nodes,
                         std::int64_t relations);

}  // namespace stream::events
