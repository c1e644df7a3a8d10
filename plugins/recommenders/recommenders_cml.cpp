#include "recommenders/recommenders_cml.hpp"

#include <algorithm>
#include <cstdio>

#include "recommenders/cml_scores.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

Spec CmlOperator::spec() {
  return Spec("recommenders.cml", "Foretell who will see a film from its plot, and keep customers' points.")
      .input<Record>("in",
                     "tickets {\"item\": film, \"line\"} keyed by the customer, and descriptions {\"item\": "
                     "film, \"plot\", \"budget\", \"line\"}, at their times: what events.read brings")
      .output<Record>(
          "out",
          "of each description {\"film\", \"words\": known ones of the plot, \"expected\": audience, "
          "\"tiers\": "
          "{\"casual\", \"regular\", \"frequent\"}, \"customers\": [[id, probability], ...] by falling "
          "probability, \"near\": [[film, squared distance], ...]}")
      .output<Record>("customers",
                      "of each ticket {\"cust\", \"film\", \"tickets\", \"tier\", \"point\": the customer's, "
                      "\"tower\": which model's}")
      .output<Record>("faults",
                      "{\"line\", \"item\", \"fault\": \"unknown-film\", \"film-twice\" or \"no-customer\"}")
      .path("model", nullptr, "HDF5 file that recommenders.cml_train wrote")
      .param("item", "item", "member with the film's id, a string or an integer")
      .param("customers", std::int64_t{20}, "customers in a list", range(0, 1e6))
      .param("near", std::int64_t{5}, "nearest films in a list", range(0, 1000))
      .contract({.state = Growth::kLinear,
                 .grows_with = "customers and films",
                 .order = Order::kStateful,
                 .cost = Cost::kHeavy})
      .about(
          "A film's point is its plot under the learnt tower; a customer's is the sum of the points of the "
          "last 40 films attended; both lie on the unit sphere. The probability of a ticket is a logistic "
          "function of their squared distance, of how often the customer goes, how long ago the last "
          "ticket was, and the film's budget. Every customer with as many tickets as those of the training "
          "is scored when a description comes: casual up to 5 tickets, regular up to 20, frequent above. "
          "The nearest films explain a forecast.\n\n"
          "New customers and films need no training; what the stream says of a film's plot goes before what "
          "the "
          "model was trained on. A ticket for a film that neither the model nor the "
          "stream has described, and a second description, are counted on the port \"faults\" and change "
          "nothing. Points are made anew from tickets and plots when a run is resumed, so that a new model "
          "can go on where another stood.")
      .paper(
          "Campo, Espinoza, Rieger, Taliyan, Collaborative Metric Learning Recommendation System: "
          "Application "
          "to Theatrical Movie Releases, arXiv 1803.00202, 2018")
      .example("Forecasts", R"([nodes.films]
use     = "events.read"
path    = "examples/films.jsonl"
dialect = "films"

[nodes.tickets]
use     = "events.read"
path    = "examples/tickets.jsonl"
dialect = "tickets"

[nodes.cml]
use   = "recommenders.cml"
from  = ["films.out", "tickets.out"]
model = "models/cml-films.h5"

[nodes.out]
use  = "jsonl.write"
from = "cml.out"
)");
}

CmlOperator::CmlOperator(const Params& p)
    : model_(CmlModel::read(p.input_path("model"))),
      item_(p.get<std::string>("item")),
      listed_(p.get<std::size_t>("customers")),
      near_(p.get<std::size_t>("near")) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(model_.fingerprint()));
  tower_ = text;
  const std::size_t d = model_.plots.features();
  for (std::size_t m = 0; m < model_.films.size(); ++m)
    add_film(model_.films[m], {}, false, model_.tower(std::span(model_.x).subspan(m * d, d)));
  bytes_ = 0;  // what the model brings is no state
}

std::size_t CmlOperator::add_film(std::string name, std::string plot, bool described, std::vector<double> z) {
  film_numbers_.emplace(name, films_.size());
  bytes_ += name.size() + plot.size() + z.size() * sizeof(double) + sizeof(Film);
  films_.push_back({std::move(name), std::move(plot), described, std::move(z)});
  return films_.size() - 1;
}

std::size_t CmlOperator::add_customer(std::string name) {
  customer_numbers_.emplace(name, customers_.size());
  bytes_ += name.size() + sizeof(Customer) + model_.plots.features() * sizeof(double);
  customers_.push_back({std::move(name), {}, 0});
  points_.resize(customers_.size() * model_.plots.features());
  return customers_.size() - 1;
}

void CmlOperator::describe(std::size_t film, const std::string& plot) {
  films_[film].described = true;
  bytes_ += plot.size();
  films_[film].plot = plot;
  films_[film].z = model_.tower(model_.plots(plot));
}

void CmlOperator::place(std::size_t customer) {
  const std::size_t d = model_.plots.features();
  const auto u = customer_point(
      std::span<const Ticket>(customers_[customer].newest), d,
      model_.head.tau, [&](std::int32_t film) -> const auto& {
        return films_[static_cast<std::size_t>(film)].z;
      });
  std::copy(u.begin(), u.end(), points_.begin() + static_cast<std::ptrdiff_t>(customer * d));
}

void CmlOperator::fault(const Packet& in, const char* what, const std::string& item, Output& out) const {
  Object record{{"fault", what}, {"item", item}};
  if (const Value* line = in.as<Record>().find("line")) record.set("line", *line);
  out.emit(2, in.with<Record>(std::move(record)));
}

void CmlOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const Value& id = record.at(item_);
  if (!id.is_string() && !id.is_integer())
    throw bad_data("member '" + item_ + "' is of type " + id.kind() + ", expected a string or an integer");
  const std::string name = id.is_string() ? id.as_string() : std::to_string(id.as_integer());
  if (record.find("plot"))
    film(in, name, out);
  else
    ticket(in, name, out);
}

void CmlOperator::film(const Packet& in, const std::string& name, Output& out) {
  const auto& record = in.as<Record>();
  const Value& plot = record.at("plot");
  if (!plot.is_string())
    throw bad_data(std::string("member 'plot' is of type ") + plot.kind() + ", expected a string");
  FilmDescription description;
  for (const std::string& amount : model_.amounts) {
    const Value* value = record.find(amount);
    if (value && !value->is_null() && !value->is_number())
      throw bad_data("member '" + amount + "' is of type " + value->kind() + ", expected a number");
    description.amounts.push_back(value && value->is_number() ? value->as_double() : 0.0);
  }
  std::size_t known = 0;
  const auto x = model_.plots(plot.as_string(), &known);
  std::size_t number = 0;
  if (const auto at = film_numbers_.find(name); at != film_numbers_.end()) {
    number = at->second;
    if (films_[number].described) return fault(in, "film-twice", name, out);
    describe(number, plot.as_string());
    for (std::size_t c = 0; c < customers_.size(); ++c)
      if (std::any_of(customers_[c].newest.begin(), customers_[c].newest.end(),
                      [&](const Ticket& t) { return static_cast<std::size_t>(t.film) == number; }))
        place(c);
  } else {
    number = add_film(name, plot.as_string(), true, model_.tower(x));
  }
  const auto& z = films_[number].z;
  const auto covariates = covariates_of(description, model_.covariate_means, model_.covariate_deviations);
  const double now = static_cast<double>(in.time.count()) / 1e9;
  const std::size_t d = z.size();
  double expected = 0, tiers[3] = {};
  std::vector<std::pair<double, std::size_t>> scored;
  for (std::size_t c = 0; c < customers_.size(); ++c) {
    const Customer& customer = customers_[c];
    if (customer.tickets < model_.least || customer.newest.empty()) continue;
    const double distance = squared_distance(std::span(points_).subspan(c * d, d), z);
    const double p = sigmoid(model_.head.logit(
        distance, habit_of(static_cast<double>(customer.tickets), customer.newest.back().time, begin_, now),
        covariates));
    expected += p;
    tiers[tier_of(static_cast<std::size_t>(customer.tickets))] += p;
    scored.emplace_back(-p, c);
  }
  const std::size_t n = std::min(listed_, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(n), scored.end());
  Array customers;
  for (std::size_t i = 0; i < n; ++i)
    customers.emplace_back(Array{customers_[scored[i].second].name, -scored[i].first});
  Object by_tier;
  for (int t = 0; t < 3; ++t) by_tier.set(name_of_tier(t), tiers[t]);
  out.emit(0, in.with<Record>(Object{{"film", name},
                                     {"words", static_cast<std::int64_t>(known)},
                                     {"expected", expected},
                                     {"tiers", std::move(by_tier)},
                                     {"customers", std::move(customers)},
                                     {"near", nearest_films(number)}}));
}

Array CmlOperator::nearest_films(std::size_t film) const {
  std::vector<std::pair<double, std::size_t>> near;
  for (std::size_t m = 0; m < films_.size(); ++m)
    if (m != film) near.emplace_back(squared_distance(films_[m].z, films_[film].z), m);
  const std::size_t n = std::min(near_, near.size());
  std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(n), near.end());
  Array out;
  for (std::size_t i = 0; i < n; ++i) out.emplace_back(Array{films_[near[i].second].name, near[i].first});
  return out;
}

void CmlOperator::ticket(const Packet& in, const std::string& name, Output& out) {
  const auto film = film_numbers_.find(name);
  if (film == film_numbers_.end()) return fault(in, "unknown-film", name, out);
  if (in.key.empty()) return fault(in, "no-customer", name, out);
  const double now = static_cast<double>(in.time.count()) / 1e9;
  if (!begun_) begin_ = now, begun_ = true;
  const std::string id(in.key.str());
  const auto at = customer_numbers_.find(id);
  const std::size_t number = at != customer_numbers_.end() ? at->second : add_customer(id);
  Customer& customer = customers_[number];
  if (customer.newest.size() == kRemembered)
    customer.newest.erase(customer.newest.begin());
  else
    bytes_ += sizeof(Ticket);
  customer.newest.push_back({static_cast<std::int32_t>(film->second), now});
  ++customer.tickets;
  place(number);
  if (out.unused(1)) return;
  const std::size_t d = model_.plots.features();
  Array point;
  for (std::size_t f = 0; f < d; ++f) point.emplace_back(points_[number * d + f]);
  out.emit(1,
           in.with<Record>(Object{{"cust", id},
                                  {"film", name},
                                  {"tickets", customer.tickets},
                                  {"tier", name_of_tier(tier_of(static_cast<std::size_t>(customer.tickets)))},
                                  {"point", std::move(point)},
                                  {"tower", tower_}}));
}

namespace {

void save_strings(Archive& group, const std::string& name, const std::vector<const std::string*>& strings) {
  std::string text;
  std::vector<std::int64_t> ends;
  for (const std::string* s : strings) {
    text += *s;
    ends.push_back(static_cast<std::int64_t>(text.size()));
  }
  group.set(name, std::vector<std::uint8_t>(text.begin(), text.end()));
  group.set(name + "_ends", ends);
}

std::vector<std::string> load_strings(const Archive& group, const std::string& name) {
  const auto text = group.get<std::vector<std::uint8_t>>(name);
  std::vector<std::string> out;
  std::int64_t begin = 0;
  for (const std::int64_t end : group.get<std::vector<std::int64_t>>(name + "_ends")) {
    if (end < begin || end > static_cast<std::int64_t>(text.size()))
      throw bad_data("the checkpoint's '" + name + "' are cut short");
    out.emplace_back(text.begin() + begin, text.begin() + end);
    begin = end;
  }
  return out;
}

}  // namespace

void CmlOperator::save(Archive& state) const {
  std::vector<const std::string*> films, plots, customers;
  std::vector<std::uint8_t> described;
  for (const Film& film : films_) {
    films.push_back(&film.name), plots.push_back(&film.plot);
    described.push_back(film.described ? 1 : 0);
  }
  std::vector<std::int64_t> tickets;
  std::vector<std::int32_t> newest, counts;
  std::vector<double> times;
  for (const Customer& c : customers_) {
    customers.push_back(&c.name);
    tickets.push_back(c.tickets);
    counts.push_back(static_cast<std::int32_t>(c.newest.size()));
    for (const Ticket& t : c.newest) newest.push_back(t.film), times.push_back(t.time);
  }
  save_strings(state, "films", films);
  save_strings(state, "plots", plots);
  save_strings(state, "customers", customers);
  state.set("described", described);
  state.set("tickets", tickets);
  state.set("counts", counts);
  state.set("newest", newest);
  state.set("times", times);
  state.set("begin", begin_);
  state.set("begun", begun_);
}

void CmlOperator::load(const Archive& state) {
  const auto films = load_strings(state, "films"), plots = load_strings(state, "plots"),
             customers = load_strings(state, "customers");
  const auto described = state.get<std::vector<std::uint8_t>>("described");
  const auto tickets = state.get<std::vector<std::int64_t>>("tickets");
  const auto counts = state.get<std::vector<std::int32_t>>("counts"),
             newest = state.get<std::vector<std::int32_t>>("newest");
  const auto times = state.get<std::vector<double>>("times");
  if (plots.size() != films.size() || described.size() != films.size() ||
      tickets.size() != customers.size() || counts.size() != customers.size() ||
      times.size() != newest.size())
    throw bad_data("the checkpoint's films, customers and tickets do not belong together");
  // Films by their number under this model, which may be another; -1 where it has neither film nor plot.
  std::vector<std::int32_t> number;
  for (std::size_t m = 0; m < films.size(); ++m) {
    const auto at = film_numbers_.find(films[m]);
    if (at != film_numbers_.end()) {
      number.push_back(static_cast<std::int32_t>(at->second));
      if (described[m] != 0) describe(at->second, plots[m]);
      continue;
    }
    if (described[m] == 0) {
      number.push_back(-1);
      continue;
    }
    number.push_back(
        static_cast<std::int32_t>(add_film(films[m], plots[m], true, model_.tower(model_.plots(plots[m])))));
  }
  std::size_t at = 0;
  for (std::size_t c = 0; c < customers.size(); ++c) {
    const auto count = static_cast<std::size_t>(counts[c]);
    if (counts[c] < 0 || count > kRemembered || count > newest.size() - at || tickets[c] < counts[c])
      throw bad_data("the checkpoint's tickets do not belong together");
    const std::size_t customer = add_customer(customers[c]);
    if (customer + 1 != customer_numbers_.size())
      throw bad_data("the checkpoint names customer '" + customers[c] + "' twice");
    for (std::size_t i = at; i < at + count; ++i) {
      if (newest[i] < 0 || static_cast<std::size_t>(newest[i]) >= films.size())
        throw bad_data("the checkpoint has a ticket for no film");
      const std::int32_t film = number[static_cast<std::size_t>(newest[i])];
      if (film < 0) continue;
      customers_[customer].newest.push_back({film, times[i]});
      bytes_ += sizeof(Ticket);
    }
    at += count;
    customers_[customer].tickets = tickets[c];
    place(customer);
  }
  begin_ = state.get<double>("begin");
  begun_ = state.get<bool>("begun");
}

std::string CmlOperator::progress() const {
  return std::to_string(customers_.size()) + " customers, " + std::to_string(films_.size()) + " films";
}

}  // namespace stream::recommenders
