/// What collaborative metric learning is compared with: tastes by text alone, by topics, by film ids.
#pragma once

#include "recommenders/cml_scores.hpp"

namespace stream::recommenders {

/// Mean cosine of the film's plot vector with its `k` nearest among the newest films of the customer.
Taste by_nearest_films(const CmlData& data, std::size_t k);

struct BprOptions {
  std::size_t features = 32;
  std::int64_t epochs = 20;
  double learning_rate = 0.05, regularisation = 0.01;
};
/// u.v + b of matrix factorisation with film ids, trained by Bayesian personalised ranking (Rendle,
/// Freudenthaler, Gantner, Schmidt-Thieme, UAI 2009) on the films up to the end of the training part; what is
/// preferred to is drawn among films of the same weeks. Films after that keep the vectors they started with.
Taste by_bpr(const CmlData& data, const BprOptions& options, Random random);

struct TopicOptions {
  std::size_t topics = 50;
  std::int64_t sweeps = 150;
  double alpha = 0.1, beta = 0.01;     ///< of the Dirichlet priors
  double bought = 1, other = 0.01;     ///< confidences a and b
  double customer = 0.01, film = 100;  ///< lambda_u, lambda_v
  std::int64_t rounds = 10;
};
/// u.theta of collaborative topic regression (Wang and Blei, KDD 2011): topics of the plots by latent
/// Dirichlet allocation (collapsed Gibbs sampling: Griffiths and Steyvers, PNAS 2004), which film factors are
/// drawn towards; factors by alternating least squares. New films have their topics alone.
Taste by_topics(const CmlData& data, const TopicOptions& options, Random random);

/// Topic shares [films, topics] of all films: topics are learnt from the plots of the films before
/// `training_end`, those of the others inferred.
std::vector<double> topic_shares(const CmlData& data, std::size_t training_end, const TopicOptions& options,
                                 Random random);

}  // namespace stream::recommenders
