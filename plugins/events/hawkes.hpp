/// Multivariate Hawkes processes with exponential kernels: exact simulation and exact likelihood.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/random.hpp"

namespace stream::events {

struct TypedEvent {
  double time;
  std::int32_t type;
};
/// One sequence: times from 0 on, not decreasing.
using Sequence = std::vector<TypedEvent>;

/// lambda_k(t) = mu_k + sum over t_j < t of a[k_j][k] b exp(-b (t - t_j)).
struct Hawkes {
  std::vector<double> mu;
  std::vector<std::vector<double>> a;  ///< [from][to]: children of a parent, in the mean
  double b = 1;

  /// `count` events from an empty start, by thinning (Ogata, "On Lewis' simulation method for point
  /// processes", IEEE Trans. Information Theory 27(1), 1981), shifted so that the first is at 0.
  Sequence simulate(std::size_t count, Random& random) const;
  /// Log-likelihood of the events from the second on, given the first at 0.
  double log_likelihood(const Sequence& sequence) const;
  /// Integral of the total intensity between events i and i + 1, for each i: of unit exponentials, if the
  /// process is this one (time rescaling; Brown et al., Neural Computation 14(2), 2002).
  std::vector<double> compensator(const Sequence& sequence) const;
  /// Root of the mean squared difference between gaps and their means given what came before (of the gap or
  /// the horizon, whichever is less): what the best forecast leaves. The means by `points` points.
  double gap_error(std::span<const Sequence> sequences, double horizon, std::int64_t points) const;
  /// Share of the events from the second on whose type is the most intense one at their time.
  double types_foretold(const Sequence& sequence) const;
};

/// Regimes of one family: regime r prefers type r by 15 to 1, all share a chain over the types, the total
/// rate is 1.
std::vector<Hawkes> hawkes_regimes(std::size_t types, std::uint64_t seed);

}  // namespace stream::events
