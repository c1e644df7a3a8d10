/// What rankings, scores and predictions are measured by: plain functions, for operators and studies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace stream::evaluate {

/// Discounted cumulative gain of the first k: sum over ranks i = 1..k of gain_i / log2(i + 1) (Jarvelin and
/// Kekalainen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002, with the discount of
/// Burges et al., "Learning to rank using gradient descent", ICML 2005).
double dcg(std::span<const double> gains, std::size_t k);

/// DCG of the first k against that of the best order there is. `hits[i]` says whether the item at rank i + 1
/// is relevant, `relevant` how many relevant items there are in all, listed or not. NaN when there are none:
/// such a list has nothing to find.
double ndcg(const std::vector<bool>& hits, std::size_t relevant, std::size_t k);

/// Share of the relevant items that are among the first k; NaN when there are none.
double recall(const std::vector<bool>& hits, std::size_t relevant, std::size_t k);

/// Which of the ranked items are relevant. An item that the list holds twice is found once.
std::vector<bool> hits_of(std::span<const std::string> ranked,
                          const std::unordered_set<std::string>& relevant);
std::vector<bool> hits_of(std::span<const std::int32_t> ranked,
                          const std::unordered_set<std::int32_t>& relevant);

/// Area under the receiver operating characteristic: the chance that a positive scores above a negative, ties
/// counting half (Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 143,
/// 1982). NaN without both kinds.
double auc(std::span<const double> scores, std::span<const std::uint8_t> positive);

/// The same of scores in ascending order, each with a weight. Precondition: equal lengths.
double auc_of_sorted(std::span<const double> scores, std::span<const std::uint8_t> positive,
                     std::span<const double> weights);

/// Root of the mean square of the differences; NaN of nothing.
double rmse(std::span<const double> predicted, std::span<const double> truth);

/// Mean over bins of equal width in [0, 1] of |mean probability - share of positives|, weighted by how many
/// fall into each: expected calibration error (Naeini, Cooper, Hauskrecht, AAAI 2015). NaN of nothing.
double calibration_error(std::span<const double> probabilities, std::span<const std::uint8_t> positive,
                         std::size_t bins);

/// Spearman's rank correlation, ties at their mean rank; NaN when a side is constant.
double spearman(std::span<const double> a, std::span<const double> b);

struct Interval {
  double low, high;
};

/// Of the mean of `values`, by the percentiles of `replicates` resamplings with replacement (Efron and
/// Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3). `level`: 0.95 leaves 0.025 on each
/// side. NaNs of nothing.
Interval bootstrap_mean(std::span<const double> values, std::size_t replicates, double level,
                        std::uint64_t seed);

/// The value below which the share p of them lies, linear between neighbours (type 7 of Hyndman and Fan,
/// 1996). NaN of nothing; values that are NaN are left out.
double quantile(std::vector<double> values, double p);

}  // namespace stream::evaluate
