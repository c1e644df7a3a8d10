#include "recommenders/cml_data.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

/// Uniform in [0, 1), a function of its arguments alone.
double hashed(std::uint64_t draw, std::int32_t customer, std::int32_t film) {
  const auto pair = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(customer)) << 32) |
                    static_cast<std::uint32_t>(film);
  return Random(pair ^ (draw * 0x9e3779b97f4a7c15ull)).uniform();
}

}  // namespace

std::vector<double> covariates_of(const FilmDescription& film, std::span<const double> means,
                                  std::span<const double> deviations) {
  std::vector<double> out(means.size());
  for (std::size_t i = 0; i < out.size() && i < film.amounts.size(); ++i)
    if (film.amounts[i] > 0) out[i] = (std::log(film.amounts[i]) - means[i]) / deviations[i];
  return out;
}

CmlData::CmlData(std::shared_ptr<const TicketLog> log, CmlSplit split, const WordVectorOptions& words,
                 Random random)
    : log_(std::move(log)), split_(split) {
  const std::size_t films = log_->films.size();
  const auto share = [&](double of) {
    return static_cast<std::size_t>(std::llround(of * static_cast<double>(films)));
  };
  const std::size_t test = films - std::min(films, share(split.test)),
                    validation = test - std::min(test, share(split.validation));
  // What a part's films sold must be known before the next part's are shown.
  const auto complete = [&](std::size_t begin, std::size_t end, double until) {
    FilmRange range{std::min(begin, end), std::min(begin, end)};
    while (range.end < end && log_->shown[range.end] + split.run * kSecondsOfDay <= until) ++range.end;
    return range;
  };
  test_ = complete(test, films, log_->end);
  validation_ = complete(validation, test, test < films ? log_->shown[test] : log_->end);
  training_ =
      complete(share(split.warm), validation, validation < films ? log_->shown[validation] : log_->end);
  const auto require = [&](const char* part, double of, FilmRange range) {
    if (of > 0 && range.size() == 0)
      throw bad_data(std::string("there are no films for ") + part + ": of " + std::to_string(films) +
                     " films, none there has been shown for " + std::to_string(split.run) +
                     " days before the next part begins");
  };
  require("training", 1, training_);
  require("validation", split.validation, validation_);
  require("the test", split.test, test_);
  std::vector<std::string> corpus;
  for (std::size_t m = 0; m < validation; ++m) corpus.push_back(log_->films[m].plot);
  plots_ = PlotVectors(corpus, words, Random(random()));
  const std::size_t amounts = log_->films.empty() ? 0 : log_->films[0].amounts.size();
  means_.assign(amounts, 0), deviations_.assign(amounts, 1);
  for (std::size_t i = 0; i < amounts; ++i) {
    double sum = 0, squares = 0, n = 0;
    for (std::size_t m = 0; m < validation; ++m) {
      const double amount = log_->films[m].amounts[i];
      if (!(amount > 0)) continue;
      const double value = std::log(amount);
      sum += value, squares += value * value, n += 1;
    }
    if (n == 0) continue;
    means_[i] = sum / n;
    const double variance = squares / n - means_[i] * means_[i];
    if (variance > 1e-12) deviations_[i] = std::sqrt(variance);
  }
  for (const FilmDescription& film : log_->films) {
    const auto x = plots_(film.plot);
    x_.insert(x_.end(), x.begin(), x.end());
    const auto c = covariates_of(film, means_, deviations_);
    covariates_.insert(covariates_.end(), c.begin(), c.end());
  }
}

std::vector<CmlSample> CmlData::samples(FilmRange films, double rate, std::uint64_t draw) const {
  std::vector<CmlSample> out;
  const std::size_t customers = log_->customers.size();
  std::vector<std::size_t> before(customers);
  for (std::size_t m = films.begin; m < films.end; ++m) {
    const auto& buyers = log_->attendances[m];
    auto buyer = buyers.begin();
    for (std::size_t c = 0; c < customers; ++c) {
      const auto& tickets = log_->tickets[c];
      while (before[c] < tickets.size() && tickets[before[c]].time < log_->shown[m]) ++before[c];
      while (buyer != buyers.end() && static_cast<std::size_t>(*buyer) < c) ++buyer;
      const bool bought = buyer != buyers.end() && static_cast<std::size_t>(*buyer) == c;
      if (before[c] < static_cast<std::size_t>(split_.least)) continue;
      const auto customer = static_cast<std::int32_t>(c), film = static_cast<std::int32_t>(m);
      if (bought || rate >= 1 || hashed(draw, customer, film) < rate)
        out.push_back({customer, film, static_cast<std::int32_t>(before[c]), bought});
    }
  }
  return out;
}

Habit CmlData::habit(const CmlSample& s) const {
  const auto tickets = history(s);
  return habit_of(static_cast<double>(tickets.size()), tickets.empty() ? log_->begin : tickets.back().time,
                  log_->begin, log_->shown[static_cast<std::size_t>(s.film)]);
}

bool CmlData::bought(std::int32_t customer, std::int32_t film) const {
  const auto& buyers = log_->attendances[static_cast<std::size_t>(film)];
  return std::binary_search(buyers.begin(), buyers.end(), customer);
}

FilmRange CmlData::beside(std::int32_t film) const {
  const double shown = log_->shown[static_cast<std::size_t>(film)], run = split_.run * kSecondsOfDay;
  const auto begin = log_->shown.begin() + static_cast<std::ptrdiff_t>(training_.begin),
             end = log_->shown.begin() + static_cast<std::ptrdiff_t>(training_.end);
  return {static_cast<std::size_t>(std::lower_bound(begin, end, shown - run) - log_->shown.begin()),
          static_cast<std::size_t>(std::upper_bound(begin, end, shown + run) - log_->shown.begin())};
}

}  // namespace stream::recommenders
