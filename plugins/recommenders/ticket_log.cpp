#include "recommenders/ticket_log.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "events/event_mapping.hpp"
#include "line_reader.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

using events::EventFault;

FilmDescription film_of(const Object& members, const FilmFormat& format) {
  const auto wanted = [&](const std::string& name) -> const Value& {
    const Value* value = events::find_path(members, name);
    if (!value || value->is_null()) throw EventFault("missing", "member '" + name + "' is missing");
    return *value;
  };
  FilmDescription film;
  const Value &name = wanted(format.film()), &plot = wanted(format.plot());
  if (!name.is_string() && !name.is_integer())
    throw EventFault("type", "member '" + format.film() + "' is of type " + name.kind() +
                                 ", expected a string or an integer");
  film.name = name.is_string() ? name.as_string() : std::to_string(name.as_integer());
  if (film.name.empty()) throw EventFault("missing", "member '" + format.film() + "' is empty");
  if (!plot.is_string())
    throw EventFault("type",
                     "member '" + format.plot() + "' is of type " + plot.kind() + ", expected a string");
  film.plot = plot.as_string();
  const Value* release = events::find_path(members, format.release());
  if (release && !release->is_null() && !(release->is_string() && release->as_string().empty()))
    film.release = static_cast<double>(events::time_of(*release, 1).count()) / 1e9;
  for (const std::string& amount : format.amounts) {
    const Value* value = events::find_path(members, amount);
    if (value && !value->is_null() && !value->is_number())
      throw EventFault("type", "member '" + amount + "' is of type " + value->kind() + ", expected a number");
    const double number = value && value->is_number() ? value->as_double() : 0;
    // Tables of films say 0 where they do not know.
    film.amounts.push_back(number > 0 ? number : std::numeric_limits<double>::quiet_NaN());
  }
  return film;
}

std::vector<FilmDescription> read_films(const std::string& path, const FilmFormat& format,
                                        std::string* faults) {
  LineReader lines(path, {});
  LineReader::Batch batch;
  std::vector<FilmDescription> films;
  std::unordered_map<std::string, std::size_t> known;
  std::map<std::string, std::int64_t> counts;
  std::int64_t first = 0;
  while (lines.next(batch))
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
      const std::string_view text = batch.text(batch.lines[i]);
      if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      try {
        FilmDescription film;
        if (format.format == "cmu") {
          const std::size_t tab = text.find('\t');
          if (tab == 0 || tab == std::string_view::npos)
            throw EventFault("columns", "expected an id, a tab and a plot");
          film.name = text.substr(0, tab), film.plot = text.substr(tab + 1);
          film.amounts.assign(format.amounts.size(), std::numeric_limits<double>::quiet_NaN());
        } else {
          if (const auto fault = Value::fault(text)) throw EventFault("not-json", fault->second);
          const Value value = Value::parse(text);
          if (!value.is_object()) throw EventFault("not-json", "expected a JSON object");
          film = film_of(value.as_object(), format);
        }
        if (!known.emplace(film.name, films.size()).second)
          throw EventFault("duplicate", "film '" + film.name + "' has been described before");
        films.push_back(std::move(film));
      } catch (const EventFault& fault) {
        ++counts[fault.name()];
        if (first == 0) first = static_cast<std::int64_t>(batch.first_line + i) + 1;
      }
    }
  if (faults) {
    faults->clear();
    for (const auto& [name, count] : counts)
      *faults += (faults->empty() ? "" : ", ") + std::to_string(count) + " " + name;
    if (!faults->empty()) *faults += " (the first at line " + std::to_string(first) + ")";
  }
  return films;
}

TicketLog ticket_log(std::span<const events::Event> tickets, std::vector<FilmDescription> films) {
  TicketLog log;
  std::unordered_map<std::string, std::size_t> described;
  for (std::size_t m = 0; m < films.size(); ++m) described.emplace(films[m].name, m);
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<double> shown(films.size(), kNever);
  for (std::size_t m = 0; m < films.size(); ++m)
    if (!std::isnan(films[m].release)) shown[m] = films[m].release;
  const auto seconds_of = [](const events::Event& e) { return static_cast<double>(e.time.count()) / 1e9; };
  for (const events::Event& e : tickets) {
    const auto at = described.find(e.item);
    if (at == described.end()) {
      if (log.unknown++ == 0) log.first_unknown = e.line;
      continue;
    }
    shown[at->second] = std::min(shown[at->second], seconds_of(e));
  }
  std::vector<std::size_t> order;
  for (std::size_t m = 0; m < films.size(); ++m)
    if (shown[m] != kNever) order.push_back(m);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return shown[a] < shown[b]; });
  std::vector<std::int32_t> number(films.size(), -1);
  for (const std::size_t m : order) {
    number[m] = static_cast<std::int32_t>(log.films.size());
    log.films.push_back(std::move(films[m]));
    log.shown.push_back(shown[m]);
  }
  log.attendances.resize(log.films.size());
  std::unordered_map<std::string, std::size_t> customers;
  for (const events::Event& e : tickets) {
    const auto at = described.find(e.item);
    if (at == described.end()) continue;
    const auto [customer, added] = customers.emplace(e.key, log.customers.size());
    if (added) log.customers.push_back(e.key), log.tickets.emplace_back();
    const std::int32_t film = number[at->second];
    log.tickets[customer->second].push_back({film, seconds_of(e)});
    log.attendances[static_cast<std::size_t>(film)].push_back(static_cast<std::int32_t>(customer->second));
  }
  for (auto& list : log.attendances) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  if (!tickets.empty()) log.begin = seconds_of(tickets.front()), log.end = seconds_of(tickets.back());
  return log;
}

std::size_t tickets_before(std::span<const Ticket> tickets, double time) {
  const auto at = std::lower_bound(tickets.begin(), tickets.end(), time,
                                   [](const Ticket& t, double when) { return t.time < when; });
  return static_cast<std::size_t>(at - tickets.begin());
}

Habit habit_of(double tickets, double last, double begin, double now) {
  const double years = std::max(0.25, (now - begin) / kSecondsOfYear);
  return {std::log(tickets / years + 0.1), std::log1p(std::max(0.0, now - last) / kSecondsOfDay)};
}

void normalise(std::vector<double>& x) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  if (!(squares > 0)) return;
  const double length = std::sqrt(squares);
  for (double& v : x) v /= length;
}

double weight_of(double age, double tau) { return tau > 0 ? std::exp(-age / tau) : 1.0; }

}  // namespace stream::recommenders
