/// Training samples of collaborative metric learning, in the order of time: who bought a ticket for which
/// film, knowing what came before the film.
#pragma once

#include <memory>

#include "recommenders/plot_text.hpp"
#include "recommenders/ticket_log.hpp"

namespace stream::recommenders {

/// A customer before a film.
struct CmlSample {
  std::int32_t customer, film;
  std::int32_t before;  ///< how many of the customer's tickets came before the film was first shown
  bool bought;
};

struct CmlSplit {
  double warm = 0.125;      ///< share of the films that only feed histories
  double validation = 0.1;  ///< share of the films, before those of the test, that say when to stop
  double test = 0.2;        ///< share of the films, the last ones
  double run = 28;          ///< days after which a film's tickets count as complete
  std::int64_t least = 3;   ///< tickets that a customer must have before a film
};

/// Numbers [begin, end) of films.
struct FilmRange {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

class CmlData {
 public:
  /// Plots are vectorised, and covariates standardised, by the films before those of validation and test.
  /// Throws Error(kBadData) when a part of the split is empty (a test or validation of share 0 may be).
  CmlData(std::shared_ptr<const TicketLog> log, CmlSplit split, const WordVectorOptions& words,
          Random random);

  const TicketLog& log() const { return *log_; }
  const CmlSplit& split() const { return split_; }
  /// Films whose tickets are complete before the next part begins.
  FilmRange training() const { return training_; }
  FilmRange validation() const { return validation_; }
  FilmRange test() const { return test_; }
  const PlotVectors& plots() const { return plots_; }
  std::size_t features() const { return plots_.features(); }
  /// Plot vector x of a film, `features` numbers.
  std::span<const float> x(std::int32_t film) const {
    return std::span(x_).subspan(static_cast<std::size_t>(film) * features(), features());
  }
  /// ln of the amounts, standardised; 0 where one is not known.
  std::span<const double> covariates(std::int32_t film) const {
    return std::span(covariates_).subspan(static_cast<std::size_t>(film) * means_.size(), means_.size());
  }
  const std::vector<double>& covariate_means() const { return means_; }
  const std::vector<double>& covariate_deviations() const { return deviations_; }

  /// All that was bought for these films by customers with `least` tickets before, and of what was not a
  /// share `rate`: which, a hash of customer, film and `draw` decides, so that no other ticket matters.
  std::vector<CmlSample> samples(FilmRange films, double rate, std::uint64_t draw) const;
  std::span<const Ticket> history(const CmlSample& s) const {
    return std::span(log_->tickets[static_cast<std::size_t>(s.customer)])
        .first(static_cast<std::size_t>(s.before));
  }
  Habit habit(const CmlSample& s) const;
  bool bought(std::int32_t customer, std::int32_t film) const;
  /// Films of the training part that were first shown within `run` of this one, itself left out.
  FilmRange beside(std::int32_t film) const;

 private:
  std::shared_ptr<const TicketLog> log_;
  CmlSplit split_;
  FilmRange training_, validation_, test_;
  PlotVectors plots_;
  std::vector<float> x_;
  std::vector<double> covariates_, means_, deviations_;
};

/// ln of a film's amounts, standardised; 0 where one is not known.
std::vector<double> covariates_of(const FilmDescription& film, std::span<const double> means,
                                  std::span<const double> deviations);

}  // namespace stream::recommenders
