#include "events/event_mapping.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "stream/file.hpp"

namespace stream::events {

namespace {

/// Reads `digits` digits at the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& into) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, into);
  if (error != std::errc() || end != text.data() + digits || text[0] == '-' || text[0] == '+') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes ".123", where there is one; false when it is no fraction.
bool take_fraction(std::string_view& text, std::int64_t& nanoseconds) {
  if (!take(text, '.')) return true;
  std::int64_t scale = 100'000'000;
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), scale /= 10)
    nanoseconds += (text[0] - '0') * scale;
  return true;
}

/// Nanoseconds of a clock that shows "00:12:31.250".
std::optional<std::int64_t> clock_time(std::string_view text) {
  int hour = 0, minute = 0, second = 0;
  std::int64_t fraction = 0;
  if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute) || !take(text, ':') ||
      !take_number(text, 2, second) || minute > 59 || second > 59 || !take_fraction(text, fraction) ||
      !text.empty())
    return std::nullopt;
  return (std::int64_t{hour} * 3600 + minute * 60 + second) * 1'000'000'000 + fraction;
}

/// Nanoseconds since 1970, or none when it is no such text.
std::optional<std::int64_t> iso_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') ||
      !take_number(text, 2, day))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1680 || year > 2260) return std::nullopt;
  std::int64_t fraction = 0, offset = 0;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) return std::nullopt;
    if (take(text, ':') && !take_number(text, 2, second)) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
    if (!take_fraction(text, fraction)) return std::nullopt;
    if (!take(text, 'Z') && !text.empty()) {
      const int sign = text[0] == '+' ? 1 : text[0] == '-' ? -1 : 0;
      int hours = 0, minutes = 0;
      text.remove_prefix(1);
      if (sign == 0 || !take_number(text, 2, hours)) return std::nullopt;
      take(text, ':');
      if (!take_number(text, 2, minutes) || hours > 23 || minutes > 59) return std::nullopt;
      offset = sign * (hours * 3600 + minutes * 60);
    }
    if (!text.empty()) return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1'000'000'000 + fraction;
}

}  // namespace

Time time_of(const Value& value, double unit) {
  if (value.is_string()) {
    const std::string& text = value.as_string();
    const auto found = text.size() > 2 && text[2] == ':' ? clock_time(text) : iso_time(text);
    if (!found) throw EventFault("time", "'" + text + "' is no time (ISO 8601, a clock's, or a number)");
    return Time{*found};
  }
  if (!value.is_number()) throw EventFault("time", std::string("the time is of type ") + value.kind());
  const double seconds = value.as_double() * unit;
  // 2^63 nanoseconds are 292 years.
  if (!(std::abs(seconds) < 9.2e9)) throw EventFault("time", "no time within 292 years: " + value.dump());
  if (value.is_integer() && unit == 1) return Time{value.as_integer() * 1'000'000'000};
  return Time{std::llround(seconds * 1e9)};
}

const Value* find_path(const Object& object, std::string_view path) {
  if (const Value* whole = object.find(path)) return whole;
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const Value* first = object.find(path.substr(0, dot));
  if (!first) return nullptr;
  path.remove_prefix(dot + 1);
  while (first->is_array()) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), index);
    if (error != std::errc() || index >= first->as_array().size()) return nullptr;
    first = &first->as_array()[index];
    path.remove_prefix(static_cast<std::size_t>(end - path.data()));
    if (path.empty()) return first;
    if (!take(path, '.')) return nullptr;
  }
  return first->is_object() ? find_path(first->as_object(), path) : nullptr;
}

const std::vector<std::string>& EventMapping::dialects() {
  static const std::vector<std::string> names{
      "plain",     "events", "lfm-1b", "listenbrainz", "spotify",   "movielens", "tickets", "films",
      "playlists", "scenes", "labels", "xes",          "statsbomb", "moma",      "moma-1.0"};
  return names;
}

EventMapping EventMapping::of_dialect(const std::string& name) {
  EventMapping m;
  if (name == "plain") return m;
  if (name == "events") {
    m.key = "seq", m.item = "type", m.time = "t";
  } else if (name == "lfm-1b") {
    m.format = "tsv", m.key = "user_id", m.item = "track_id";
    m.columns = {"user_id", "art_id", "track_id", "ts", "session_id"};
  } else if (name == "listenbrainz") {
    m.key = "user_name", m.item = "track_metadata.additional_info.recording_msid", m.time = "listened_at";
  } else if (name == "spotify") {
    m.key = "username", m.item = "spotify_track_uri", m.least_member = "ms_played", m.least = 30000;
  } else if (name == "movielens") {
    m.format = "csv", m.key = "userId", m.item = "movieId", m.time = "timestamp";
    m.least_member = "rating", m.least = 4;
  } else if (name == "tickets") {
    m.key = "cust", m.item = "film";
  } else if (name == "films") {
    m.key = "", m.item = "film", m.time = "release", m.required = {"plot"};
  } else if (name == "playlists") {
    m.item = "playlist", m.required = {"event"};
  } else if (name == "scenes") {
    m.key = "game", m.item = "", m.time = "t", m.required = {"nodes"};
  } else if (name == "xes") {
    m.format = "xes", m.key = "case:concept:name", m.item = "concept:name", m.time = "time:timestamp";
  } else if (name == "statsbomb") {
    m.format = "json", m.key = "", m.item = "id", m.time = "timestamp";
    m.part = "period", m.having = {"location", "player"};
  } else if (name == "moma") {
    m.format = "json", m.each = "activity.sub_activities.higher_order_interactions";
    m.key = "activity.id", m.item = "id", m.time = "time", m.required = {"actors", "objects"};
    m.part = ".", m.part_seconds = 86400;
  } else if (name == "moma-1.0") {
    m.format = "json", m.key = "trim_video_id", m.item = "", m.time = "frame_timestamp";
    m.required = {"annotation"};
  } else if (name == "labels") {
    m.key = "game", m.item = "", m.time = "t", m.required = {"labels"};
  } else {
    throw bad_recipe("there is no dialect '" + name + "'" + did_you_mean(name, dialects()));
  }
  return m;
}

EventMapping EventMapping::read(const std::string& path, EventMapping m) {
  InputFile file(path);
  std::string text;
  std::vector<std::byte> block(65536);
  while (text.size() < (1u << 20)) {
    const auto got = file.read(block);
    if (got.status != InputFile::Status::kData) break;
    text.append(reinterpret_cast<const char*>(block.data()), got.size);
  }
  try {
    const Value value = Value::parse(text);
    for (const auto& [name, member] : value.as_object()) {
      const auto names = [&](const Value& list) {
        std::vector<std::string> out;
        for (const Value& v : list.as_array()) out.push_back(v.as_string());
        return out;
      };
      try {
        if (name == "format")
          m.format = member.as_string();
        else if (name == "key")
          m.key = member.as_string();
        else if (name == "item")
          m.item = member.as_string();
        else if (name == "time")
          m.time = member.as_string();
        else if (name == "unit")
          m.unit = member.as_double();
        else if (name == "columns")
          m.columns = names(member);
        else if (name == "required")
          m.required = names(member);
        else if (name == "having")
          m.having = names(member);
        else if (name == "part")
          m.part = member.as_string();
        else if (name == "each")
          m.each = member.as_string();
        else if (name == "part_seconds")
          m.part_seconds = member.as_double();
        else if (name == "strict")
          m.strict = member.as_bool();
        else if (name == "least_member")
          m.least_member = member.as_string();
        else if (name == "least")
          m.least = member.as_double();
        else
          throw bad_data(
              "is no part of a mapping" +
              did_you_mean(name, {"format", "key", "item", "time", "unit", "columns", "required", "having",
                                  "strict", "least_member", "least", "part", "part_seconds", "each"}));
      } catch (const Error& e) {
        throw e.within("member '" + name + "'");
      }
    }
    const std::vector<std::string> formats{"jsonl", "csv", "tsv", "json", "xes"};
    if (std::find(formats.begin(), formats.end(), m.format) == formats.end())
      throw bad_data("format is '" + m.format + "', expected jsonl, csv, tsv, json (an array) or xes" +
                     did_you_mean(m.format, formats));
    if (!(m.part_seconds > 0 && m.part_seconds < 1e7)) throw bad_data("part_seconds must be positive");
    if (!(m.unit > 0)) throw bad_data("unit must be positive, in seconds");
    if (m.each.starts_with('.') || m.each.ends_with('.') || m.each.find("..") != std::string::npos)
      throw bad_data("each is '" + m.each + "', expected a path of members: \"activity.frames\"");
    if (m.time.empty()) throw bad_data("a log without times is no log of events: time is empty");
  } catch (const Error& e) {
    throw e.within(path);
  }
  return m;
}

std::string EventMapper::id(const Object& members, const std::string& path, Kind known, Kind& found) const {
  const Value* value = find_path(members, path);
  if (!value || value->is_null()) throw EventFault("missing", "member '" + path + "' is missing");
  if (!value->is_string() && !value->is_integer())
    throw EventFault(
        "type", "member '" + path + "' is of type " + value->kind() + ", expected a string or an integer");
  found = value->is_string() ? Kind::kText : Kind::kNumber;
  if (known != Kind::kUnknown && found != known)
    throw EventFault("id-kind", "member '" + path + "' is a " + (found == Kind::kText ? "string" : "number") +
                                    " here and was a " + (found == Kind::kText ? "number" : "string") +
                                    " before");
  std::string out = value->is_string() ? value->as_string() : std::to_string(value->as_integer());
  if (out.empty()) throw EventFault("missing", "member '" + path + "' is empty");
  return out;
}

/// Where the part of the log begins that this event's clock is of.
Duration EventMapper::part_of(const Object& members, Time time, std::int64_t record) const {
  if (mapping_.part.empty()) return {};
  std::int64_t number = record;
  if (mapping_.part == ".") {
    if (static_cast<double>(time.count()) >= mapping_.part_seconds * 1e9)
      throw EventFault("time", "the time lies beyond the record's part of " +
                                   std::to_string(std::llround(mapping_.part_seconds)) + " s");
  } else {
    const Value* part = find_path(members, mapping_.part);
    if (!part || !part->is_integer() || part->as_integer() < 1 || part->as_integer() > 1000)
      throw EventFault(part ? "type" : "missing",
                       "member '" + mapping_.part + "' is no number from 1 to 1000");
    number = part->as_integer();
  }
  const double later = static_cast<double>(number - 1) * mapping_.part_seconds;
  if (!(static_cast<double>(time.count()) / 1e9 + later < 9.2e9))
    throw EventFault("time", "no time within 292 years");
  return Duration{std::llround(later * 1e9)};
}

std::optional<Event> EventMapper::event(const Object& members, std::int64_t line, std::int64_t record) {
  Event event;
  event.line = line;
  for (const std::string& name : mapping_.having)
    if (const Value* value = find_path(members, name); !value || value->is_null()) return std::nullopt;
  Kind key = key_kind_, item = item_kind_;
  if (!mapping_.key.empty()) event.key = id(members, mapping_.key, key_kind_, key);
  if (!mapping_.item.empty()) event.item = id(members, mapping_.item, item_kind_, item);
  const Value* time = find_path(members, mapping_.time);
  if (!time || time->is_null()) throw EventFault("missing", "member '" + mapping_.time + "' is missing");
  event.time = time_of(*time, mapping_.unit);
  if (event.time >= Time{0}) event.time += part_of(members, event.time, record);
  if (event.time < Time{0}) throw EventFault("negative-time", "the time is negative: " + time->dump());
  for (const std::string& name : mapping_.required)
    if (!find_path(members, name)) throw EventFault("missing", "member '" + name + "' is missing");
  if (!mapping_.least_member.empty()) {
    const Value* least = find_path(members, mapping_.least_member);
    if (!least || !least->is_number())
      throw EventFault(least ? "type" : "missing", "member '" + mapping_.least_member + "' is no number");
    if (least->as_double() < mapping_.least) return std::nullopt;
  }
  for (const auto& [name, value] : members) {
    if (name == mapping_.key || name == mapping_.item || name == mapping_.time) continue;
    if (mapping_.strict && name != mapping_.least_member &&
        std::find(mapping_.required.begin(), mapping_.required.end(), name) == mapping_.required.end())
      throw EventFault("extra", "member '" + name + "' was not expected");
    event.members.set(name, value);
  }
  key_kind_ = key, item_kind_ = item;
  return event;
}

void EventMapper::save(Archive& group) const {
  group.set("key_kind", static_cast<int>(key_kind_));
  group.set("item_kind", static_cast<int>(item_kind_));
}

void EventMapper::load(const Archive& group) {
  const auto kind = [&](const char* name) {
    const int value = group.get<int>(name);
    if (value < 0 || value > static_cast<int>(Kind::kText))
      throw bad_data("the checkpoint names no kind of id");
    return static_cast<Kind>(value);
  };
  key_kind_ = kind("key_kind"), item_kind_ = kind("item_kind");
}

}  // namespace stream::events
