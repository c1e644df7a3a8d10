/// What customers will do about films, by any taste: the same logistic for all, and how good it is.
#pragma once

#include <functional>
#include <string>

#include "recommenders/cml_data.hpp"
#include "recommenders/cml_model.hpp"

namespace stream::recommenders {

/// How much customers like a film, each by what came before it: one number for each sample. The samples are
/// all of one film.
using Taste = std::function<std::vector<double>(std::span<const CmlSample>)>;

/// -D2 between the customer's point and the film's, under a tower.
Taste by_distance(const CmlData& data, const FilmTower& tower, double tau);

/// Minimises the cross-entropy of sigmoid(x . w) plus 1e-6 |w|^2 by Newton's method. rows x columns, row by
/// row.
std::vector<double> fit_logistic(std::span<const double> x, std::span<const std::uint8_t> y,
                                 std::size_t columns);

/// The head over a taste, fitted to samples of the training part: what was not bought at `rate`, the
/// intercept put right by its logarithm.
PurchaseHead fit_head(const CmlData& data, std::span<const CmlSample> samples, double rate,
                      const Taste& taste);

/// ln of the rate, and a last correction so that the mean of P over the samples, what was not bought weighing
/// 1 / rate, is the share that was bought.
double corrected_intercept(std::span<const double> logits, std::span<const std::uint8_t> bought, double rate);

struct AudienceQuality {
  double auc = 0;              ///< over all pairs of customer and film
  double within = 0;           ///< mean over customers of the AUC over films
  double within_distance = 0;  ///< the same of the taste alone
  double calibration = 0;      ///< expected calibration error, ten bins
  double spearman = 0;         ///< of foretold and true audiences of the films
  double tiers[3] = {};        ///< `within` of casual, regular and frequent customers
  std::size_t customers[3] = {};
};

/// How often somebody goes: 0 casual (up to 5 tickets), 1 regular (up to 20), 2 frequent.
int tier_of(std::size_t tickets);
const char* name_of_tier(int tier);

/// Over all pairs of eligible customers and films of the range.
AudienceQuality measure_audience(const CmlData& data, FilmRange films, const Taste& taste,
                                 const PurchaseHead& head);
/// The same of any log-odds: those of the made-up world, for instance.
AudienceQuality measure_logits(const CmlData& data, FilmRange films, const Taste& taste,
                               const std::function<double(const CmlSample&, double taste)>& logit);

}  // namespace stream::recommenders
