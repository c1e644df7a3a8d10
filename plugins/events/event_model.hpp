/// The event model of TimeGraphs: relational features of nodes, and the vertex-infomax score that decides
/// which of them are events. Plain arithmetic for one node at a time, so that a stream and a whole log give
/// the same bits.
///
/// Maheshwari et al., "TimeGraphs: Graph-based Temporal Reasoning", arXiv 2401.03134; the score is VIPool's
/// (Li et al., "Graph Cross Networks with Vertex Infomax Pooling", NeurIPS 2020, section 3.1).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "events/scene.hpp"

namespace stream::events {

constexpr std::size_t kLevels = 3;  ///< 0: every node of every step; 1, 2: events

/// y = x W (+ b).
struct Affine {
  std::size_t in = 0, out = 0;
  std::vector<float> weight, bias;  ///< [in, out], [out] or empty
  /// Adds to `y`.
  void add(const float* x, float* y) const;
  void save(Archive& group) const;
  /// Throws Error(kBadData) when it has other sizes.
  void load(const Archive& group, std::size_t inputs, std::size_t outputs);
};

/// relu(W_0 h + sum_r W_r mean over N_r of h_j): one relational graph convolution.
struct RelationalMaps {
  Affine self;
  std::vector<Affine> relations;  ///< without biases
};

/// E(x) = PReLU(Linear x); T(v, u) = sigmoid(sum A E W)' B E(x_u).
struct VipoolMaps {
  Affine embed;
  float slope = 0.25f;      ///< of PReLU
  Affine around, bilinear;  ///< W and B, without biases
  void embedding(const float* x, float* e) const;
  /// sigmoid(T(v, v)) from the node's embedding and the sum over its neighbourhood.
  float affinity(const float* e, const float* neighbourhood) const;
};

struct EventModel {
  SceneVocabulary vocabulary;
  std::int64_t delay = 1;                ///< D: steps that a node waits for its neighbourhood
  std::array<double, 2> keep{0.2, 0.2};  ///< share of level 0, of level 1 that is promoted
  std::array<float, 2> threshold{0, 0};  ///< on the affinity, of each
  double unit = 1;                       ///< seconds between steps in training
  std::vector<float> mean, scale;        ///< [2 features], of x and of its change
  std::array<RelationalMaps, 2> convolution;
  std::array<VipoolMaps, 2> pool;

  /// Numbers that a node comes with: x, its change, and its type, one-hot.
  std::size_t inputs() const {
    return 2 * static_cast<std::size_t>(vocabulary.features) + vocabulary.types.size();
  }
  /// Of those, the ones that scores and convolutions see: changes and type. What merely is and stays odd must
  /// not make an event; the head sees it.
  std::size_t seen() const { return inputs() - skipped(); }
  /// A number of x (i < features) or of its change (features + i) in units of its spread, with long tails
  /// drawn in: what is rare is far out, and must not be all that a layer sees.
  float scaled(std::size_t i, float value) const { return std::asinh((value - mean[i]) / scale[i]); }
  /// What changes are divided by that came about in so many seconds: what drifts without aim gets as far as
  /// the root of the time. Divided by the time itself, an act that fell into a gap would be thinned out over
  /// it. Quiet nodes do not keep their share of promotions all the same: with half of the steps lost .14 of
  /// them became .19 (games of seed 501).
  float spell(double seconds) const { return static_cast<float>(std::sqrt(std::max(1.0, seconds / unit))); }
  std::size_t skipped() const { return static_cast<std::size_t>(vocabulary.features); }
  /// Relations of the convolutions: each of the scene's in both directions, and the entity a step before.
  std::size_t relations() const { return 2 * vocabulary.relations.size() + 1; }
  std::size_t hidden() const { return convolution[1].self.out; }
  std::size_t embedded() const { return pool[0].embed.out; }
  /// Of a node: its inputs and its convolved features.
  std::size_t features() const { return inputs() + hidden(); }
  void save(Archive& group) const;
  static EventModel load(const Archive& group);
};

}  // namespace stream::events
