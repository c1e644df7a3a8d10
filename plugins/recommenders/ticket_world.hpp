/// Made-up cinema-goers: plots made of themes and settings, tastes for themes, tickets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stream/random.hpp"

namespace stream::recommenders {

struct TicketWorldOptions {
  std::int32_t films = 800, customers = 3000;
  double years = 5;
  bool shuffled = false;  ///< the control: tickets go to other customers, so that nobody has a taste
  std::uint64_t seed = 0;
};

struct MadeFilm {
  std::string name, plot;
  double release;  ///< seconds since 1970
  double budget;   ///< in money: e to the (17 + .8 b), b standard normal
};

struct MadeTicket {
  std::int32_t customer, film;  ///< from 0
  double time;                  ///< seconds since 1970, up to 28 days after the release
};

/// 12 themes (each in a plot with probability .25, by 2 to 5 of its 6 words) and 24 settings (.2, 2 to 6
/// words) amid function words. Six taste dimensions, each a function of two themes (a; a and not b; a or b)
/// that is -.8 or 1.2. A customer buys a ticket with probability sigmoid(-4.2 + f + .6 b + t.h), f standard
/// normal and t .9 times so.
class TicketWorld {
 public:
  static constexpr std::size_t kTastes = 6, kThemes = 12, kSettings = 24, kWords = 6;
  explicit TicketWorld(TicketWorldOptions options);
  /// In order of release.
  const std::vector<MadeFilm>& films() const { return films_; }
  /// In order of time.
  const std::vector<MadeTicket>& tickets() const { return tickets_; }
  /// The true log-odds of a ticket: what no model can beat.
  double utility(std::int32_t customer, std::int32_t film) const;
  const TicketWorldOptions& options() const { return options_; }

 private:
  void make_films(Random random);
  void sell(Random random);
  void shuffle(Random random);
  TicketWorldOptions options_;
  std::vector<MadeFilm> films_;
  std::vector<MadeTicket> tickets_;
  std::vector<double> appeal_;                          ///< .6 b of each film
  std::vector<std::array<double, kTastes>> qualities_;  ///< h of each film
  std::vector<std::array<double, kTastes>> tastes_;     ///< t of each customer
  std::vector<double> frequency_;                       ///< f of each customer
};

}  // namespace stream::recommenders
