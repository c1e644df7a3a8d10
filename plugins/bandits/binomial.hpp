/// Exact binomial draws, and means of very many Bernoulli rewards.
#pragma once

#include <cstdint>

#include "stream/random.hpp"

namespace stream::bandits {

/// Successes among n trials of probability p. Inversion where n min(p, 1-p) < 10, else Hoermann's transformed
/// rejection (BTRS: "The generation of binomial random variates", 1993); both exact but for rounding.
std::uint64_t binomial(Random& random, std::uint64_t n, double p);

/// Mean of n Bernoulli(p) rewards: exact up to 1e7 of them, above that N(p, p (1-p) / n) within [0, 1].
double bernoulli_mean(Random& random, std::uint64_t n, double p);

}  // namespace stream::bandits
