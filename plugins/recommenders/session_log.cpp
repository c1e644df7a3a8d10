#include "recommenders/session_log.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "stream/error.hpp"

namespace stream::recommenders {

std::int32_t Catalogue::add(const std::string& name) {
  const auto [at, added] = numbers_.emplace(name, static_cast<std::int32_t>(names_.size()) + 1);
  if (added) names_.push_back(name);
  return at->second;
}

std::int32_t Catalogue::number(const std::string& name) const {
  const auto at = numbers_.find(name);
  return at == numbers_.end() ? 0 : at->second;
}

void Catalogue::save(Archive& group) const {
  std::string text;
  std::vector<std::int64_t> ends;
  for (const std::string& name : names_) {
    text += name;
    ends.push_back(static_cast<std::int64_t>(text.size()));
  }
  group.set("text", std::vector<std::uint8_t>(text.begin(), text.end()));
  group.set("ends", ends);
}

void Catalogue::load(const Archive& group) {
  const auto text = group.get<std::vector<std::uint8_t>>("text");
  std::int64_t begin = 0;
  names_.clear(), numbers_.clear();
  for (const std::int64_t end : group.get<std::vector<std::int64_t>>("ends")) {
    if (end < begin || end > static_cast<std::int64_t>(text.size()))
      throw bad_data("the names of the items are cut short");
    const std::string name(text.begin() + begin, text.begin() + end);
    if (add(name) != static_cast<std::int32_t>(names_.size()))
      throw bad_data("two items are called '" + name + "'");
    begin = end;
  }
}

SessionLog sessions_of(std::span<const events::Event> events, double idle, std::size_t least_plays,
                       std::size_t least_sessions) {
  std::unordered_map<std::string, std::size_t> plays;
  for (const events::Event& e : events) ++plays[e.item];
  struct User {
    std::string name, session;
    double last = 0;
    std::vector<Session> sessions;
  };
  std::vector<User> users;
  std::unordered_map<std::string, std::size_t> known;
  Catalogue catalogue;
  for (const events::Event& e : events) {
    if (plays[e.item] < least_plays) continue;
    const auto [at, added] = known.emplace(e.key, users.size());
    if (added) users.push_back({e.key, {}, 0, {}});
    User& user = users[at->second];
    const double time = static_cast<double>(e.time.count()) / 1e9;
    const Value* named = e.members.find("session");
    if (!named) named = e.members.find("session_id");
    const std::string session = named ? named->dump() : std::string();
    if (user.sessions.empty() || time - user.last > idle || session != user.session)
      user.sessions.push_back({time, {}, {}});
    user.last = time, user.session = session;
    auto& items = user.sessions.back().items;
    const std::int32_t item = catalogue.add(e.item);
    if (items.size() < kSlots && std::find(items.begin(), items.end(), item) == items.end())
      items.push_back(item);
  }
  SessionLog log;
  log.catalogue = std::move(catalogue);
  for (User& user : users) {
    if (user.sessions.size() < least_sessions) continue;
    log.users.push_back(std::move(user.name));
    log.sessions.push_back(std::move(user.sessions));
  }
  return log;
}

Cooccurrence::Cooccurrence(const SessionLog& log, std::span<const std::size_t> upto) {
  const std::size_t items = log.catalogue.size();
  std::vector<std::map<std::int32_t, double>> counts(items + 1);
  for (std::size_t u = 0; u < log.sessions.size(); ++u)
    for (std::size_t s = 0; s < std::min(upto[u], log.sessions[u].size()); ++s)
      for (const std::int32_t a : log.sessions[u][s].items)
        for (const std::int32_t b : log.sessions[u][s].items)
          if (a != b) counts[static_cast<std::size_t>(a)][b] += 1;
  std::vector<double> degree(items + 1);
  for (std::size_t i = 0; i <= items; ++i)
    for (const auto& [j, n] : counts[i]) degree[i] += n;
  starts_.assign(1, 0);
  for (std::size_t i = 0; i <= items; ++i) {
    for (const auto& [j, n] : counts[i]) {
      columns_.push_back(j);
      values_.push_back(static_cast<float>(n / std::sqrt(degree[i] * degree[static_cast<std::size_t>(j)])));
    }
    starts_.push_back(static_cast<std::int64_t>(columns_.size()));
  }
}

double Cooccurrence::at(std::int32_t a, std::int32_t b) const {
  const auto begin = columns_.begin() + starts_[static_cast<std::size_t>(a)],
             end = columns_.begin() + starts_[static_cast<std::size_t>(a) + 1];
  const auto found = std::lower_bound(begin, end, b);
  return found != end && *found == b
             ? static_cast<double>(values_[static_cast<std::size_t>(found - columns_.begin())])
             : 0.0;
}

void Cooccurrence::fill(Session& session) const {
  session.spreading.assign(session.items.size(), 0);
  for (std::size_t i = 0; i < session.items.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < session.items.size(); ++j)
      if (j != i) sum += at(session.items[i], session.items[j]);
    session.spreading[i] = static_cast<float>(sum);
  }
}

void Cooccurrence::fill(SessionLog& log) const {
  for (auto& sessions : log.sessions)
    for (Session& session : sessions) fill(session);
}

void Cooccurrence::multiply(std::span<const double> x, std::span<double> y, std::size_t columns) const {
  std::fill(y.begin(), y.end(), 0.0);
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i)
    for (std::int64_t at = starts_[i]; at < starts_[i + 1]; ++at) {
      const double value = static_cast<double>(values_[static_cast<std::size_t>(at)]);
      const double* from =
          x.data() + static_cast<std::size_t>(columns_[static_cast<std::size_t>(at)]) * columns;
      for (std::size_t c = 0; c < columns; ++c) y[i * columns + c] += value * from[c];
    }
}

void Cooccurrence::save(Archive& group) const {
  group.set("starts", starts_);
  group.set("columns", columns_);
  group.set("values", values_);
}

void Cooccurrence::load(const Archive& group, std::size_t items) {
  starts_ = group.get<std::vector<std::int64_t>>("starts");
  columns_ = group.get<std::vector<std::int32_t>>("columns");
  values_ = group.get<std::vector<float>>("values");
  const bool fits = starts_.size() == items + 2 && columns_.size() == values_.size() &&
                    starts_.front() == 0 && std::is_sorted(starts_.begin(), starts_.end()) &&
                    starts_.back() == static_cast<std::int64_t>(columns_.size()) &&
                    std::all_of(columns_.begin(), columns_.end(), [&](std::int32_t c) {
                      return c >= 1 && static_cast<std::size_t>(c) <= items;
                    });
  if (!fits) throw bad_data("the co-occurrences are those of another catalogue");
}

}  // namespace stream::recommenders
