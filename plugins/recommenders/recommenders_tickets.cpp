#include "recommenders/recommenders_tickets.hpp"

#include "stream/error.hpp"

namespace stream::recommenders {

Spec TicketsSource::spec() {
  const TicketWorldOptions o;
  return Spec("recommenders.tickets", "Make up films with plots, and who buys tickets for them.")
      .output<Record>("tickets", "{\"cust\", \"film\", \"ts\": seconds} in order of time, keyed by customer")
      .output<Record>("films", "{\"film\", \"release\": seconds, \"plot\", \"budget\"} in order of release")
      .param("films", std::int64_t{o.films}, "that are released", range(1, 1e6))
      .param("customers", std::int64_t{o.customers}, "who may buy tickets", range(1, 1e7))
      .param("years", o.years, "from the first release to the last", range(0.01, 1000), unit("years"))
      .param("shuffled", false,
             "give the tickets to other customers, as many to each as before: nobody has a taste then")
      .contract({.order = Order::kStateful})
      .about(
          "A plot is made of 12 themes and 24 settings, each with words of its own, amid function words. Six "
          "taste dimensions are functions of two themes each (a; a and not b; a or b). A customer buys a "
          "ticket, within 28 days after the release, by frequency of going, budget, and how the film's "
          "tastes agree with the customer's.")
      .paper(
          "Campo, Espinoza, Rieger, Taliyan, Collaborative Metric Learning Recommendation System: "
          "Application "
          "to Theatrical Movie Releases, arXiv 1803.00202, 2018")
      .example("A small cinema", R"([nodes.world]
use       = "recommenders.tickets"
films     = 20
customers = 10

[nodes.out]
use  = "jsonl.write"
from = "world.tickets"
)");
}

TicketsSource::TicketsSource(const Params& p)
    : world_({.films = p.get<std::int32_t>("films"),
              .customers = p.get<std::int32_t>("customers"),
              .years = p.get<double>("years"),
              .shuffled = p.get<bool>("shuffled"),
              .seed = p.random("world")()}) {}

bool TicketsSource::read(Output& out) {
  const auto time_of = [](double seconds) {
    return Time{static_cast<std::int64_t>(seconds) * 1'000'000'000};
  };
  const auto& films = world_.films();
  const auto& tickets = world_.tickets();
  for (int i = 0; i < 256 && (film_ < films.size() || ticket_ < tickets.size()); ++i) {
    // A film comes before its tickets.
    if (film_ < films.size() &&
        (ticket_ == tickets.size() || films[film_].release <= tickets[ticket_].time)) {
      const MadeFilm& film = films[film_++];
      out.emit(1, Packet::of<Record>(time_of(film.release),
                                     Object{{"film", film.name},
                                            {"release", static_cast<std::int64_t>(film.release)},
                                            {"plot", film.plot},
                                            {"budget", static_cast<std::int64_t>(film.budget)}}));
      continue;
    }
    const MadeTicket& ticket = tickets[ticket_++];
    const std::string customer = "c" + std::to_string(ticket.customer);
    Packet packet = Packet::of<Record>(time_of(ticket.time),
                                       Object{{"cust", customer},
                                              {"film", films[static_cast<std::size_t>(ticket.film)].name},
                                              {"ts", static_cast<std::int64_t>(ticket.time)}});
    packet.key = Key(customer);
    out.emit(0, std::move(packet));
  }
  return film_ < films.size() || ticket_ < tickets.size();
}

double TicketsSource::fraction() const {
  return static_cast<double>(film_ + ticket_) /
         static_cast<double>(world_.films().size() + world_.tickets().size());
}

void TicketsSource::save(Archive& state) const {
  state.set("film", static_cast<std::int64_t>(film_));
  state.set("ticket", static_cast<std::int64_t>(ticket_));
}

void TicketsSource::load(const Archive& state) {
  film_ = state.get<std::size_t>("film"), ticket_ = state.get<std::size_t>("ticket");
  if (film_ > world_.films().size() || ticket_ > world_.tickets().size())
    throw bad_data("the checkpoint is of another world");
}

}  // namespace stream::recommenders
