/// Which features go with which attribute: rank tests, their effect sizes, and the correction for many.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/random.hpp"

namespace stream::recommenders {

struct TestResult {
  double statistic = 0;  ///< U, H or rho
  double p = 1;          ///< two-sided
  double effect = 0;     ///< r = Z / sqrt(n), epsilon^2, rho
};

/// Mann and Whitney (Annals of Mathematical Statistics 18, 1947): U of the first group, normal approximation
/// corrected for ties and continuity, effect r = Z / sqrt(n), positive where the first group is greater. With
/// 8 values or fewer in all and no ties p is exact, by enumeration. p is 1 when all values are equal or a
/// group is empty.
TestResult mann_whitney(std::span<const double> first, std::span<const double> second);

/// Kruskal and Wallis (JASA 47, 1952), corrected for ties, chi-square approximation; effect
/// epsilon^2 = H (n + 1) / (n^2 - 1).
TestResult kruskal_wallis(std::span<const std::vector<double>> groups);

/// Spearman's rho, Student's t approximation with n - 2 degrees of freedom.
TestResult spearman_test(std::span<const double> a, std::span<const double> b);

/// Benjamini and Hochberg (JRSS B 57, 1995): p values corrected so that those up to a level have at most that
/// share of false discoveries. NaNs stay.
std::vector<double> benjamini_hochberg(std::span<const double> p);

struct Similarity {
  double within, between;  ///< mean cosine distance of pairs in a group, and across groups
  double p;                ///< share of permutations with a difference as great, the one seen counted in
};
/// Are members of a group more alike? rows [n, columns], groups [n].
Similarity group_similarity(std::span<const float> rows, std::span<const int> groups, std::size_t columns,
                            std::size_t permutations, Random random);

}  // namespace stream::recommenders
