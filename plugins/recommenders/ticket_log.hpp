/// Tickets and films: logs as tables, in order of time, and what was known when a film was first shown.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "events/event_gate.hpp"

namespace stream::recommenders {

inline constexpr double kSecondsOfDay = 86400, kSecondsOfYear = 365.25 * kSecondsOfDay;
/// Tickets that a customer's point is made of.
inline constexpr std::size_t kRemembered = 40;

struct FilmDescription {
  std::string name, plot;
  double release = std::numeric_limits<double>::quiet_NaN();  ///< seconds since 1970; NaN: not known
  std::vector<double> amounts;  ///< budget, screens ..., in the order asked for; NaN: not known
};

/// Which member of a description is which.
struct FilmFormat {
  std::string format = "plain";  ///< "plain", "tmdb": JSON lines; "cmu": id, a tab, the plot
  std::vector<std::string> amounts{"budget"};
  /// JSON members that hold name, plot and release.
  std::string film() const { return format == "tmdb" ? "id" : "film"; }
  std::string plot() const { return format == "tmdb" ? "overview" : "plot"; }
  std::string release() const { return format == "tmdb" ? "release_date" : "release"; }
};

/// A description from the members of a line. Throws events::EventFault ("missing", "type", "time").
FilmDescription film_of(const Object& members, const FilmFormat& format);

/// Reads a file of descriptions. Lines that are wrong are passed over and counted: `faults` then says
/// "2 missing, 1 duplicate (the first at line 3)". Throws Error(kNoInput).
std::vector<FilmDescription> read_films(const std::string& path, const FilmFormat& format,
                                        std::string* faults = nullptr);

struct Ticket {
  std::int32_t film;  ///< number
  double time;        ///< seconds since 1970
};

/// Films in the order in which they were first shown: at their release, or at their first ticket where that
/// came before it or there is no release. A film without either is left out.
struct TicketLog {
  std::vector<FilmDescription> films;
  std::vector<double> shown;  ///< seconds since 1970, ascending
  std::vector<std::string> customers;
  std::vector<std::vector<Ticket>> tickets;            ///< of each customer, in order of time
  std::vector<std::vector<std::int32_t>> attendances;  ///< customers of each film, ascending, once each
  double begin = 0;                                    ///< when the log begins
  double end = 0;                                      ///< up to when it is complete

  std::int64_t unknown = 0;        ///< tickets for films that nobody described: left out
  std::int64_t first_unknown = 0;  ///< line of the first of them
};

/// `tickets` in order of time, their item being the film and their key the customer.
TicketLog ticket_log(std::span<const events::Event> tickets, std::vector<FilmDescription> films);

/// A customer's tickets before a time: how many there are of `tickets`, which are in order.
std::size_t tickets_before(std::span<const Ticket> tickets, double time);

/// What a purchase depends on besides taste.
struct Habit {
  double frequency;  ///< ln(tickets a year + .1), a log of less than a quarter being taken for one
  double recency;    ///< ln(1 + days since the last ticket)
};
Habit habit_of(double tickets, double last, double begin, double now);

/// u = normalise(sum of w_k z_k) over the newest kRemembered of `tickets`, w_k = exp(-(age of k) / tau) or 1
/// where tau is 0. `point(film)` gives z, of `features` numbers. All zeros of nothing.
template <typename Point>
std::vector<double> customer_point(std::span<const Ticket> tickets, std::size_t features, double tau,
                                   const Point& point);

// ----------------------------------------------------------------------------------------------------------

/// x / |x|, in place; nothing stays nothing.
void normalise(std::vector<double>& x);
double weight_of(double age, double tau);

template <typename Point>
std::vector<double> customer_point(std::span<const Ticket> tickets, std::size_t features, double tau,
                                   const Point& point) {
  std::vector<double> u(features);
  const auto newest = tickets.last(std::min(tickets.size(), kRemembered));
  for (const Ticket& ticket : newest) {
    const double w = weight_of(newest.back().time - ticket.time, tau);
    const auto& z = point(ticket.film);
    for (std::size_t f = 0; f < features; ++f) u[f] += w * static_cast<double>(z[f]);
  }
  normalise(u);
  return u;
}

}  // namespace stream::recommenders
