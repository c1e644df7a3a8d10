#include "bandits/bandits_ical.hpp"

#include <chrono>
#include <cstdio>

namespace stream::bandits {

namespace {

namespace chr = std::chrono;

/// Minutes since 1970 of "20261125T090000Z".
std::int64_t minutes_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, end = 0;
  const int read =
      std::sscanf(text.c_str(), "%4d%2d%2dT%2d%2d%2dZ%n", &year, &month, &day, &hour, &minute, &second, &end);
  const chr::year_month_day date{chr::year(year), chr::month(static_cast<unsigned>(month)),
                                 chr::day(static_cast<unsigned>(day))};
  if (read != 6 || static_cast<std::size_t>(end) != text.size() || !date.ok() || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second != 0)
    throw bad_recipe("start is '" + text + "', expected a minute in UTC as 20261125T090000Z");
  return static_cast<std::int64_t>(chr::sys_days(date).time_since_epoch().count()) * 1440 + hour * 60 +
         minute;
}

std::string date_text(std::int64_t minutes) {
  const chr::sys_days days{chr::days{minutes / 1440}};
  const chr::year_month_day date{days};
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d00Z", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(minutes % 1440 / 60), static_cast<int>(minutes % 60));
  return text;
}

/// RFC 5545, 3.3.11.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

/// A content line, folded at 75 bytes (3.1) between characters, with the CR of its CRLF.
std::string folded(const std::string& line) {
  constexpr std::size_t kMost = 75;
  std::string out;
  std::size_t width = 0;
  for (const char c : line) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    // A character of UTF-8 has four bytes at the most.
    if (!continues && width + 4 > kMost) out += "\r\n ", width = 1;
    out += c;
    ++width;
  }
  return out + '\r';
}

std::int64_t number_at(const Record& record, const char* member, std::int64_t least) {
  const Value& value = record.at(member);
  constexpr std::int64_t kMost = 1'000'000'000;
  if (!value.is_integer() || value.as_integer() < least || value.as_integer() > kMost)
    throw bad_data(std::string("member '") + member + "' is a whole number from " + std::to_string(least) +
                   ", found " + value.dump());
  return value.as_integer();
}

}  // namespace

Spec IcalOperator::spec() {
  return Spec("bandits.ical",
              "Write a periodic calendar as iCalendar (RFC 5545): one recurring event for each arm.")
      .input<Record>("in", "of bandits.calendar: {\"arm\", \"period\", \"offset\"}")
      .output<Text>("out", "lines that end in CR, for text.write to end with LF")
      .param("start", "20260101T000000Z", "when period 0 begins, in UTC")
      .param("period", Duration(std::chrono::hours(1)), "how long one period lasts, in whole minutes")
      .param("length", Duration(std::chrono::minutes(1)), "how long an event lasts, in whole minutes")
      .contract({.order = Order::kStateful})
      .example("A week's notifications", R"([nodes.curves]
use = "bandits.curves"

[nodes.plan]
use  = "bandits.calendar"
from = "curves"

[nodes.ical]
use    = "bandits.ical"
from   = "plan.calendar"
start  = "20261125T090000Z"
period = "12h"

[nodes.out]
use  = "text.write"
from = "ical"
path = "calendar.ics"
)");
}

IcalOperator::IcalOperator(const Params& p) : start_(minutes_of(p.get<std::string>("start"))) {
  const auto whole = [&](const char* name) {
    const auto length = p.get<Duration>(name);
    const auto minutes = chr::duration_cast<chr::minutes>(length);
    if (minutes != length || minutes.count() < 1 || minutes > chr::hours(24 * 366))
      throw bad_recipe(std::string(name) + " is " + to_string(length) +
                       ", expected whole minutes, at most a year");
    return static_cast<std::int64_t>(minutes.count());
  };
  minutes_ = whole("period");
  hold_ = whole("length");
}

void IcalOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const std::string id = arm_id(record.at("arm"));
  const Value arm = id_value(id);
  const std::string name = arm.is_string() ? arm.as_string() : id;
  const std::int64_t period = number_at(record, "period", 1), offset = number_at(record, "offset", 0);
  const std::int64_t first = start_ + offset * minutes_;
  const auto say = [&](const std::string& line) { out.emit(in.with<Text>(folded(line))); };
  if (!begun_) {
    begun_ = true;
    say("BEGIN:VCALENDAR");
    say("VERSION:2.0");
    say("PRODID:-//stream//bandits.ical//EN");
  }
  say("BEGIN:VEVENT");
  char uid[24];
  std::snprintf(uid, sizeof uid, "%016llx", static_cast<unsigned long long>(stable_hash(id)));
  say(std::string("UID:") + uid + "@bandits.ical");
  say("DTSTAMP:" + date_text(start_));
  say("DTSTART:" + date_text(first));
  say("DURATION:PT" + std::to_string(hold_) + "M");
  say("RRULE:FREQ=MINUTELY;INTERVAL=" + std::to_string(period * minutes_));
  say("SUMMARY:" + escaped(name));
  say("END:VEVENT");
}

void IcalOperator::finish(Output& out) {
  if (!begun_) return;
  // At the time when it is certain that nothing follows.
  out.emit(Packet::of<Text>(kTimeMax, folded("END:VCALENDAR")));
}

void IcalOperator::save(Archive& state) const { state.set("begun", begun_); }

void IcalOperator::load(const Archive& state) { begun_ = state.get<bool>("begun"); }

}  // namespace stream::bandits
