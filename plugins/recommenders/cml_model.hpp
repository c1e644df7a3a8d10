/// Collaborative metric learning of plots: films and customers on one sphere, and what a distance means for a
/// purchase. The plain forward, for serving and for measuring.
///
/// Campo, Espinoza, Rieger, Taliyan, "Collaborative Metric Learning Recommendation System: Application to
/// Theatrical Movie Releases", arXiv 1803.00202, 2018; Hsieh, Yang, Cui, Lin, Belongie, Estrin,
/// "Collaborative Metric Learning", WWW 2017.
#pragma once

#include <cmath>
#include <string>

#include "recommenders/plot_text.hpp"
#include "recommenders/ticket_log.hpp"

namespace stream::recommenders {

/// z = f(x) / |f(x)|: on the unit sphere, so that no length can stand for popularity.
struct FilmTower {
  enum class Kind : std::uint8_t { kNone, kLinear, kDeep };  ///< f(x) = x; A x; x + W2 relu(W1 x + b1) + b2
  Kind kind = Kind::kNone;
  std::size_t features = 0, hidden = 0;
  std::vector<float> first, first_bias;    ///< A [D, D]; or W1 [H, D], b1 [H]
  std::vector<float> second, second_bias;  ///< W2 [D, H], b2 [D]
  /// z [features] of x [features].
  std::vector<double> operator()(std::span<const float> x) const;
};

/// P = sigmoid(intercept + scale (-D2) + frequency ln(tickets a year + .1) + recency ln(1 + days since the
/// last ticket) + covariates . c).
struct PurchaseHead {
  double intercept = 0, scale = 2, frequency = 0.3, recency = 0;
  std::vector<double> covariates;
  double tau = 0;  ///< seconds after which a ticket weighs 1/e; 0: all alike
  double logit(double distance, const Habit& habit, std::span<const double> film) const;
};

/// D2 = |u - z|^2 = 2 - 2 u.z on the sphere; for a customer without tickets, u = 0, it is 1.
double squared_distance(std::span<const double> u, std::span<const double> z);

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct CmlModel {
  PlotVectors plots;
  FilmTower tower;
  PurchaseHead head;
  std::vector<std::string> amounts;  ///< members that hold the covariates
  std::vector<double> covariate_means, covariate_deviations;
  std::int64_t least = 3;  ///< tickets of the customers that it was trained on
  /// Films that it was trained on, with their plot vectors [films, features].
  std::vector<std::string> films;
  std::vector<float> x;

  /// Tells towers apart: a hash of all numbers that a point depends on.
  std::uint64_t fingerprint() const;
  void write(const std::string& path) const;
  /// Throws Error(kNoInput), Error(kBadData) or Error(kBadRecipe) that names the file.
  static CmlModel read(const std::string& path);
};

}  // namespace stream::recommenders
