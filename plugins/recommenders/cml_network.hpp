/// The same as cml_model.hpp, to be trained.
#pragma once

#include "nn/blocks.hpp"
#include "recommenders/cml_model.hpp"

namespace stream::recommenders {

struct CmlShape {
  bool deep = true;  ///< the residual tower; false: one matrix that starts as the identity
  std::int64_t features = 64, hidden = 64, covariates = 1;
  double dropout = 0.2;
  std::int64_t films = 0;  ///< in the log
  bool ageing = false;     ///< tickets weigh exp(-age / tau), tau learnt
};

/// Customers before films; films by their row among those of the batch.
struct CmlBatch {
  at::Tensor x;                   ///< [F, D]: plot vectors of the films that occur
  at::Tensor history, starts;     ///< [H], [B], int64: rows of what customers saw, and where each begins
  at::Tensor ages;                ///< [H]: days before the customer's newest ticket
  at::Tensor number;              ///< [B], int64: of the film in question, in the log
  at::Tensor film;                ///< [B], int64: row of the film in question
  at::Tensor habits, covariates;  ///< [B, 2], [B, C]
  at::Tensor bought;              ///< [B]: 0 or 1
  at::Tensor bought_rows;         ///< [P], int64: samples that were bought ...
  at::Tensor others;              ///< [P, S], int64: ... and rows of films beside that were not
};

struct CmlLoss {
  double push_pull = 0, margin = 0.5;
  double offset = 0.005;  ///< of the square of what a film has of its own
  double films = 1;       ///< M of the rank estimate
  double covariance = 0;  ///< lambda_c
};

class CmlNetwork : public torch::nn::Module {
 public:
  /// The tower starts where the plots lie, and the head as given.
  CmlNetwork(CmlShape shape, const PurchaseHead& start, const at::Generator& generator);
  /// z [F, D] of x [F, D]; dropout in training only.
  at::Tensor films(const at::Tensor& x, const at::Generator* dropout) const;
  /// u [B, D].
  at::Tensor customers(const CmlBatch& batch, const at::Tensor& z) const;
  /// [B]
  at::Tensor logits(const CmlBatch& batch, const at::Tensor& u, const at::Tensor& z) const;
  /// Binary cross-entropy, plus the push-pull and covariance terms. In training every film has an offset of
  /// its own: what sold it that neither plot nor budget say must not be learnt by the tower, which would know
  /// the few films there are by heart. New films have none.
  at::Tensor loss(const CmlBatch& batch, const CmlLoss& weights, const at::Generator* dropout) const;
  const CmlShape& shape() const { return shape_; }
  /// Tower and head as plain numbers.
  FilmTower tower() const;
  PurchaseHead head() const;

 private:
  at::Tensor on_sphere(const at::Tensor& x) const;
  CmlShape shape_;
  at::Tensor matrix_;                          ///< A [D, D] of the linear tower
  std::shared_ptr<nn::Linear> inner_, outer_;  ///< of the deep one
  at::Tensor offsets_;                         ///< [films]
  at::Tensor intercept_, scale_, habits_, covariates_, log_tau_;
};

/// The term of positives against the hardest of what was sampled beside them: mean over rows of w [m + D2+ -
/// min D2-]_+ with w = ln(1 + floor(J M / S)), J of the S samples lying inside the margin (WARP: Weston,
/// Bengio, Usunier, IJCAI 2011). positive [P], negative [P, S]: squared distances.
at::Tensor push_pull(const at::Tensor& positive, const at::Tensor& negative, double margin, double films);
/// (|C|_F - |diag C|_2^2) / N of the covariance C of the N rows of z (Hsieh et al., section 3.4).
at::Tensor covariance_term(const at::Tensor& z);

}  // namespace stream::recommenders
